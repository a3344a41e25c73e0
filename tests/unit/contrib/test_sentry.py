from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from django_vt.contrib.sentry import VibetraceIntegration, scrub_breadcrumb, scrub_event, scrub_log, scrub_span

pytestmark = pytest.mark.once

CANARY = "canary"
PLAIN = {"BACKEND": "tests.unit.contrib.sentry_run.PlainBackend"}
# With it the addresses of streamed spans are whole.
STREAM = {"trace_lifecycle": "stream", "send_default_pii": True}
URL = "https://app.vtcdn.net/event/acc123/login"


@pytest.fixture
def sent_to_sentry(process_environment):
    """What a shop sends to Sentry, by the kind of item."""

    def run(**scenario: Any) -> dict[str, list[str]]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.unit.contrib.sentry_run", json.dumps(scenario)],
            check=False, capture_output=True, text=True, timeout=60, env=process_environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        items: dict[str, list[str]] = {}
        for line in done.stdout.splitlines():
            kind, _, content = line.partition(" ")
            items.setdefault(kind, []).append(content)
        return items

    return run


def leaks(items: dict[str, list[str]]) -> set[str]:
    return {kind for kind, contents in items.items() if any(CANARY in content.lower() for content in contents)}


@pytest.mark.parametrize(("protection", "settings"), [("integration", {}), ("hooks", PLAIN)])
@pytest.mark.process
def test_nothing_of_a_shopper_reaches_sentry(sent_to_sentry, protection, settings):
    items = sent_to_sentry(protection=protection, settings=settings)
    assert leaks(items) == set()
    assert len(items["event"]) >= 3
    assert any("/event/acc123/confirmation" in transaction for transaction in items["transaction"])
    assert any("/event/acc123/confirmation" in event for event in items["event"])


@pytest.mark.process
def test_without_protection_requests_hold_nothing_but_local_variables_do(sent_to_sentry):
    items = sent_to_sentry(protection="none")
    assert leaks(items) == {"event"}
    (leaking,) = [json.loads(event) for event in items["event"] if CANARY in event.lower()]
    assert CANARY not in json.dumps(leaking["breadcrumbs"]).lower()


@pytest.mark.process
def test_without_protection_a_plain_backend_leaks(sent_to_sentry):
    assert leaks(sent_to_sentry(protection="none", settings=PLAIN)) == {"event", "transaction"}


@pytest.mark.parametrize(
    ("protection", "settings"), [("none", {}), ("integration", {}), ("integration", PLAIN), ("span-hook", PLAIN)]
)
@pytest.mark.process
def test_streamed_spans_hold_nothing_either(sent_to_sentry, protection, settings):
    items = sent_to_sentry(protection=protection, settings=settings, options=STREAM)
    assert any("/event/acc123/confirmation" in span for span in items["span"])
    assert "span" not in leaks(items)


@pytest.mark.process
def test_without_protection_a_plain_backends_streamed_spans_leak(sent_to_sentry):
    assert "span" in leaks(sent_to_sentry(protection="none", settings=PLAIN, options=STREAM))


PERSONAL = {"send_default_pii": True, "_experiments": {"record_sql_params": True}}


@pytest.mark.parametrize("pii", [{}, PERSONAL])
@pytest.mark.parametrize("stream", [{}, {"trace_lifecycle": "stream"}])
@pytest.mark.process
def test_nothing_that_staff_look_up_reaches_sentry(sent_to_sentry, pii, stream):
    items = sent_to_sentry(protection="integration", pages=True, options={**pii, **stream})
    assert leaks(items) == set()
    for kind in ("event", "log", "span" if stream else "transaction"):
        assert any("/django_vt/sendlogentry/" in content for content in items[kind])


@pytest.mark.process
def test_without_protection_all_of_it_leaks(sent_to_sentry):
    items = sent_to_sentry(protection="none", pages=True, options=PERSONAL)
    assert leaks(items) == {"event", "log", "transaction"}


@pytest.mark.process
def test_the_hooks_alone_keep_what_staff_look_up(sent_to_sentry):
    assert leaks(sent_to_sentry(protection="hooks", pages=True, options=PERSONAL)) == set()


def span(**attributes):
    return {"name": f"GET {URL}?data=1", "attributes": attributes}


def test_a_streamed_span_keeps_the_address_and_loses_its_query():
    whole = span(**{"url.full": f"{URL}?data=1", "url.query": "data=1", "http.request.method": "GET"})
    attributes = {"url.full": URL, "http.request.method": "GET"}
    assert scrub_span(whole, {}) == {"name": f"GET {URL}", "attributes": attributes}


def renaming(span, hint):
    return {**span, "name": f"ours: {span['name']}"}


def returning_nothing(span, hint):
    return None


def failing(span, hint):
    raise LookupError


@pytest.mark.parametrize(
    ("own", "name"), [(None, "GET"), (renaming, "ours: GET"), (returning_nothing, "GET"), (failing, "GET")]
)
@pytest.mark.parametrize("given", [lambda hooks: hooks, lambda hooks: {"_experiments": hooks}])
def test_the_projects_own_hook_for_spans_is_called_whatever_it_does(own, name, given):
    options = given({"before_send_span": own})
    VibetraceIntegration().setup_once_with_options(options)
    assert options["before_send_span"](span(), {}) == {"name": f"{name} {URL}", "attributes": {}}


@pytest.mark.parametrize("name", ["before_send", "before_send_transaction", "before_send_log", "before_send_metric"])
@pytest.mark.parametrize("given", [lambda hooks: hooks, lambda hooks: {"_experiments": hooks}])
def test_the_projects_own_hooks_are_called_and_may_drop_an_item(name, given):
    kept = given({name: lambda item, _hint: {**item, "message": f"GET {URL}?data=1"}})
    dropped = given({name: lambda _item, _hint: None})
    for options in (kept, dropped):
        VibetraceIntegration().setup_once_with_options(options)
    assert kept[name]({}, {})["message"] == f"GET {URL}"
    assert dropped[name]({}, {}) is None


LISTED = "https://shop.example/admin/django_vt/sendlogentry/"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"GET {LISTED}?q=a%40b.example HTTP/1.1", f"GET {LISTED} HTTP/1.1"),
        ("'/admin/django_vt/sendlogentry/2/change/?_filters=q%3Da'", "'/admin/django_vt/sendlogentry/2/change/'"),
        ("next=/admin/django_vt/sendlogentry/%3Fq%3Da%40b.example&x=1", "next=/admin/django_vt/sendlogentry/"),
        ("next=%2Fadmin%2Fdjango_vt%2Fsendlogentry%2F%3fq%3Da", "next=%2Fadmin%2Fdjango_vt%2Fsendlogentry%2F"),
        (f"{LISTED}#a@b.example", LISTED),
        (LISTED, LISTED),
        ("https://shop.example/admin/shop/order/?q=a", "https://shop.example/admin/shop/order/?q=a"),
    ],
)  # fmt: skip
def test_the_address_of_one_of_our_pages_keeps_its_path_and_loses_its_query(text, left):
    assert scrub_breadcrumb({"message": text}, {}) == {"message": left}
    assert scrub_event({"extra": {"seen": [text]}}, {}) == {"extra": {"seen": [left]}}
    assert scrub_log({"body": text, "attributes": {"seen": text}}, {}) == {"body": left, "attributes": {"seen": left}}


def test_of_a_request_of_our_pages_the_method_and_what_tells_of_no_person_stay():
    headers = {"Cookie": "a", "Referer": f"{LISTED}?q=a", "User-Agent": "Firefox"}
    request = {"url": LISTED, "method": "POST", "query_string": "q=a", "cookies": {"a": "b"}, "headers": headers}
    scrubbed = scrub_event({"request": {**request, "data": {"text": "a"}}}, {})
    assert scrubbed == {"request": {"url": LISTED, "method": "POST", "headers": {"User-Agent": "Firefox"}}}


def test_a_request_of_the_shops_keeps_what_it_holds():
    event = {"request": {"url": "https://shop.example/buy/", "data": {"a": "b"}, "query_string": "c=d", "cookies": {}}}
    assert scrub_event(json.loads(json.dumps(event)), {}) == event


def test_the_values_of_a_statement_on_our_tables_are_left_out():
    ours, theirs = (
        {"description": f"SELECT * FROM {table}", "data": {"db.params": ["a"]}}
        for table in ("django_vt_sendlogentry", "shop_order")
    )
    assert scrub_event({"spans": [ours, theirs]}, {}) == {"spans": [{**ours, "data": {}}, theirs]}


def test_a_sentry_that_gives_no_options_is_borne():
    VibetraceIntegration().setup_once_with_options(None)


def test_a_breadcrumb_keeps_the_address_and_loses_its_query():
    crumb = {"data": {"url": URL, "http.query": "data=1", "http.fragment": "", "http.method": "GET"}}
    assert scrub_breadcrumb(crumb, {}) == {"data": {"url": URL, "http.method": "GET"}}


def test_a_query_within_a_text_is_cut_as_well():
    event = {"spans": [{"description": f"GET {URL}?data=1&ts=2 200", "data": {"url.full": f"{URL}?data=1"}}]}
    assert scrub_event(event, {}) == {"spans": [{"description": f"GET {URL} 200", "data": {"url.full": URL}}]}


def test_other_requests_are_left_as_they_are():
    crumb = {
        "message": "https://example.com/?a=1",
        "data": {"url": "https://example.com/", "http.query": "a=1", "n": 1},
    }
    assert scrub_breadcrumb(json.loads(json.dumps(crumb)), {}) == crumb


@pytest.mark.parametrize("holder", ["exception", "threads"])
def test_only_this_packages_frames_and_what_they_call_lose_their_variables(holder):
    caller, ours, called = (
        {"module": module, "vars": {"a": "1"}}
        for module in ("django_vtx", "django_vt.recording.record", "django.db.backends.utils")
    )
    event = {holder: {"values": [{"stacktrace": {"frames": [caller, ours, called]}}, {"stacktrace": None}]}}
    scrub_event(event, {})
    assert caller == {"module": "django_vtx", "vars": {"a": "1"}}
    assert (ours, called) == ({"module": "django_vt.recording.record"}, {"module": "django.db.backends.utils"})


def test_an_event_without_any_of_it_passes():
    assert scrub_event({"message": "hello", "breadcrumbs": {}, "spans": None}, {}) == {
        "message": "hello", "breadcrumbs": {}, "spans": None,
    }  # fmt: skip
