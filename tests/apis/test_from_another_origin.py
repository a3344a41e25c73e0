"""In Chromium, on a page of another origin: its script sends the visitor's ids as headers, which CORS has to let by."""

from __future__ import annotations

import pytest

from django_vt.models import SendLogEntry
from tests.apis.test_apis import ASYNC, SYNC, body, cases
from tests.browser.conftest import browser, chromium  # noqa: F401 - fixtures
from tests.support.ordering import PIXEL, PIXEL_COOKIE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.apis, pytest.mark.browser, pytest.mark.process]

# As docs/how-to/visitor-ids.md has it. The page's host is `localhost`, and the shop's `127.0.0.1`.
SCRIPT = """
const [url, body, names, done] = arguments;
const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1];
const ids = {[names[0]]: cookie("_vt_user") ?? "", [names[1]]: cookie("_vtsid") ?? ""};
const headers = {"Content-Type": "application/json", ...ids};
fetch(url, {method: "POST", headers, body: JSON.stringify(body)})
    .then((answer) => done(answer.status), (error) => done(String(error)));
"""
NAMES = ["X-VT-User", "X-VTSID"]


@pytest.fixture
def elsewhere(browser, live_server):  # noqa: F811 - the fixture
    """A page that is not the shop's; orders from its script: the status of the answer, or why there is none."""
    browser.get(f"{live_server.url}/static/django_vt/admin.css")
    shop = live_server.url.replace("localhost", "127.0.0.1")
    assert shop != live_server.url

    def order(api, form, way, names=NAMES, **cookies):
        for name, value in cookies.items():
            browser.add_cookie({"name": name, "value": value})
        return browser.execute_async_script(SCRIPT, shop + api.path, body(api, form, way), names)

    return order


def confirmation():
    return SendLogEntry.objects.get(event_type="confirmation")


@cases(*SYNC, *ASYNC)
def test_the_order_carries_the_visitors_ids(elsewhere, api, form, way):
    assert elsewhere(api, form, way, _vt_user=PIXEL_COOKIE) in {200, 201}
    assert (confirmation().identity, confirmation().status) == (PIXEL.stored_form, "sent")


@cases(SYNC[0])
def test_the_shops_own_id_goes_the_same_way(elsewhere, api, form, way):
    assert elsewhere(api, form, way, _vtsid="visitor-7") == 201
    assert confirmation().identity == "vtsid:visitor-7"


@cases(*SYNC, *ASYNC)
def test_junk_names_nobody(elsewhere, api, form, way):
    assert elsewhere(api, form, way, _vt_user="<junk>", _vtsid="a<b") in {200, 201}
    assert (confirmation().identity, confirmation().reason) == ("", "nobody")


@cases(SYNC[0])
def test_a_header_that_cors_does_not_let_by_is_never_sent(elsewhere, api, form, way):
    assert "TypeError" in elsewhere(api, form, way, ["X-Other", "X-VTSID"], _vt_user=PIXEL_COOKIE)
    assert not SendLogEntry.objects.exists()
