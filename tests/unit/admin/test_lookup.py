"""Looking up: exact, and without what was typed ever standing in a URL."""

from __future__ import annotations

import hashlib

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.views.debug import ExceptionReporter

from django_vt.admin import lookup
from tests.support.people import CANARY, PIXEL, url

USER, SESSION = PIXEL.split("_")


def search(client, text):
    response = client.post(url("search"), {"text": text}, follow=True)
    assert response.status_code == 200
    found = response.context["cl"].result_list if "cl" in response.context else [response.context["original"]]
    return [entry.reference for entry in found]


def told(client, text):
    return str(list(get_messages(client.post(url("search"), {"text": text}).wsgi_request))[-1])


@pytest.fixture
def log(record):
    """Four shoppers, of whom one has ordered by address and by pixel."""
    record("by address")
    record("by pixel", identity=f"pixel:{PIXEL}")
    record("by vtsid", email="other@example.com", identity="vtsid:some-site-id")
    record("by mixed case", email="Mixed.Case@Example.COM")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("by pixel", ["by pixel"]),
        ("  by pixel ", ["by pixel"]),
        (CANARY, ["by pixel", "by address"]),
        (CANARY.upper(), ["by pixel", "by address"]),
        (f"email:{CANARY}", ["by pixel", "by address"]),
        (f"Canary Bird <{CANARY}>", ["by pixel", "by address"]),
        (CANARY.replace("@", "%40"), ["by pixel", "by address"]),
        (hashlib.sha256(CANARY.encode()).hexdigest(), ["by pixel", "by address"]),
        (hashlib.sha256(CANARY.encode()).hexdigest().upper(), ["by pixel", "by address"]),
        ("other@example.com", ["by vtsid"]),
        ("MIXED.case@example.com", ["by mixed case"]),
        (PIXEL, ["by pixel"]),
        (f"{PIXEL}_false_false", ["by pixel"]),
        (f"pixel:{PIXEL}", ["by pixel"]),
        ("some-site-id", ["by vtsid"]),
        ("vtsid:some-site-id", ["by vtsid"]),
    ],
)
def test_what_is_typed_is_found_exactly(typed, found, confidant, log):
    assert search(confidant, typed) == found


@pytest.mark.parametrize(
    "typed",
    [
        "by",
        "nobody@example.com",
        "canary",
        USER,
        f"{USER}_",
        "pixel:",
        "email:",
        "%",
        "\0",
        "0" * 64,
        "' OR 1=1",
        "@",
        f"{'x' * 400}@x",
    ],
)
def test_what_nobody_has_is_said_to_be_missing_and_not_repeated(typed, confidant, log):
    response = confidant.post(url("search"), {"text": typed})
    assert (response.status_code, response.url) == (302, url("changelist"))
    (message,) = get_messages(response.wsgi_request)
    assert str(message) == "No entry has this reference, identity or e-mail address."


def test_what_is_found_is_shown_from_the_list_on(confidant, log):
    """Else the figures above it would fill the screen, and nothing seem to have been found."""
    assert confidant.post(url("search"), {"text": CANARY}).url.endswith("#changelist")
    assert 'id="changelist"' in confidant.get(url("changelist")).content.decode()


@pytest.mark.parametrize("form", [{}, {"text": ""}, {"text": "   "}])
def test_looking_up_nothing_leads_to_the_whole_list(form, confidant, log):
    response = confidant.post(url("search"), form, follow=True)
    assert len(response.context["cl"].result_list) == 4
    assert not list(get_messages(response.wsgi_request))


@pytest.mark.parametrize(
    "typed", [CANARY, f"email:{CANARY}", f"pixel:{PIXEL}", "some-site-id", "by vtsid", "nobody@example.com"]
)
def test_nothing_typed_stands_in_a_url_or_on_the_masked_page(typed, viewer, log):
    response = viewer.post(url("search"), {"text": typed}, follow=True)
    addresses = [address for address, _status in response.redirect_chain]
    assert addresses
    for part in (typed, "canary", "example.com", PIXEL, hashlib.sha256(CANARY.encode()).hexdigest()):
        assert part not in "".join(addresses)
    if "@" in typed:
        assert typed not in response.content.decode()


def test_an_address_is_found_as_identity_though_the_event_holds_another(confidant, record):
    record("ordered for a friend", identity="email:giver@example.com", email="friend@example.com")
    assert search(confidant, "giver@example.com") == ["ordered for a friend"]
    assert search(confidant, "friend@example.com") == ["ordered for a friend"]


def test_a_search_is_a_few_queries_by_index(confidant, log):
    confidant.post(url("search"), {"text": "warm up"})
    with CaptureQueriesContext(connection) as captured:
        confidant.post(url("search"), {"text": CANARY})
    asked = [query["sql"] for query in captured if "django_vt_sendlogentry" in query["sql"]]
    # By reference and by identity; the entry, and the ids of those that have its identity or its address.
    assert len(asked) == 5
    assert all("LIMIT" in sql and "LIKE" not in sql for sql in asked)


# What was found, in words


def test_an_entry_that_alone_is_found_is_opened(confidant, record):
    entry = record("100023")
    assert confidant.post(url("search"), {"text": "100023"}).url == url("change", entry.pk)


def test_of_several_it_is_said_how_many_there_are(confidant, record):
    record("100023")
    record("100023", identity=f"pixel:{PIXEL}")
    record("100024", identity=f"pixel:{PIXEL}")
    assert told(confidant, "100023") == "2 entries have the reference 100023."
    assert told(confidant, PIXEL) == "2 entries are of this visitor."
    assert told(confidant, hashlib.sha256(CANARY.encode()).hexdigest()) == "3 entries have this e-mail address."


@pytest.mark.parametrize("typed", ["1000", "100023", "  100023-"])
def test_the_beginning_of_a_number_is_enough_where_it_is_of_one_order(typed, viewer, record):
    entry, _other = record("100023-RO"), record("200023")
    assert viewer.post(url("search"), {"text": typed}).url == url("change", entry.pk)


def test_what_several_begin_with_leads_to_their_names(viewer, record):
    for number in ("100023", "100024", "200023"):
        record(number)
        record(number)
    assert told(viewer, "1000") == "No entry has exactly this reference. These begin so: 100023, 100024."
    for number in range(100025, 100030):
        record(str(number))
    many = "100023, 100024, 100025, 100026, 100027"
    assert told(viewer, "1000") == f"No entry has exactly this reference. Many begin so: {many} \u2026"


@pytest.mark.parametrize("typed", ["10", "2", CANARY[:5], USER[:5]])
def test_what_is_short_or_begins_somebodys_name_leads_masked_staff_nowhere(typed, viewer, record):
    for reference in ("100023", CANARY, USER):
        record(reference, identity=f"pixel:{PIXEL}")
    assert told(viewer, typed) == "No entry has this reference."


def test_a_crash_of_the_search_reports_no_address(confidant, log, monkeypatch, caplog):
    def crash(text):
        raise RuntimeError

    monkeypatch.setattr(lookup, "hash_of_address", crash)
    confidant.raise_request_exception = False
    assert confidant.post(url("search"), {"text": CANARY}).status_code == 500
    (logged,) = [record for record in caplog.records if record.exc_info]
    reporter = ExceptionReporter(logged.request, *logged.exc_info)
    for report in (reporter.get_traceback_text(), reporter.get_traceback_html()):
        assert "RuntimeError" in report
        assert CANARY not in report


def test_a_link_that_would_search_is_answered_without_what_it_names_and_that_is_said(viewer, record):
    record("1")
    response = viewer.get(url("changelist"), {"q": CANARY, "status": "pending"})
    assert (response.status_code, response.url) == (302, f"{url('changelist')}?status=pending")
    page = viewer.get(response.url).content.decode()
    assert "A link cannot look anything up here. Type it into the search." in page
    assert "canary" not in page
