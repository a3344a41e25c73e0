"""Who may not see people cannot ask about them: of somebody known every answer is that of somebody unknown."""

from __future__ import annotations

import hashlib
import html
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote_plus

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_vt.admin import filters
from django_vt.models import SendLogEntry
from tests.support.people import CANARY, PIXEL, url
from tests.unit.admin.conftest import PEOPLE, RESEND, VIEW

pytestmark = [pytest.mark.any_database, pytest.mark.newest, pytest.mark.unmeasured]

USER, SESSION = PIXEL.split("_")
VTSID = "site-visitor-1234"
# Each with what is not in the log, of the same kind and length: what a page says again differs by nothing else.
KNOWN = {
    "address": (CANARY, "canary.birz@example.com"),
    "address in capitals": (CANARY.upper(), "CANARY.BIRZ@EXAMPLE.COM"),
    "address with its name": (f"Canary <{CANARY}>", "Canary <canary.birz@example.com>"),
    "encoded address": (CANARY.replace("@", "%40"), "canary.birz%40example.com"),
    "wide at sign": (CANARY.replace("@", "\uff20"), "canary.birz\uff20example.com"),
    "beginning of an address": (CANARY[:9], "canary.bz"),
    "hash": (hashlib.sha256(CANARY.encode()).hexdigest(), hashlib.sha256(b"finch9").hexdigest()),
    "hash in capitals": (hashlib.sha256(CANARY.encode()).hexdigest().upper(), hashlib.sha256(b"9").hexdigest().upper()),
    "pixel": (PIXEL, f"{USER[:-1]}9_{SESSION[:-1]}9"),
    "cookie": (f"{PIXEL}_false", f"{USER[:-1]}9_{SESSION[:-1]}9_false"),
    "user": (USER, f"{USER[:-1]}9"),
    "session": (SESSION, f"{SESSION[:-1]}9"),
    "vtsid": (VTSID, f"{VTSID[:-1]}9"),
    "stored address": (f"email:{CANARY}", "email:canary.birz@example.com"),
    "stored pixel": (f"pixel:{PIXEL}", f"pixel:{USER[:-1]}9_{SESSION}"),
    "stored vtsid": (f"vtsid:{VTSID}", f"vtsid:{VTSID[:-1]}9"),
}
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
FIELDS = sorted(field.attname for field in SendLogEntry._meta.fields)
LOOKUPS = (
    "",
    "__exact",
    "__iexact",
    "__contains",
    "__icontains",
    "__startswith",
    "__regex",
    "__in",
    "__gt",
    "__isnull",
)
# As a parameter: names of filters, of Django's own list, and of columns with every way to compare.
NAMES = [
    *sorted(filters.PARAMETERS), "q", "o", "p", "e", "all", "_facets", "_popup", "_to_field", "_changelist_filters",
    "email", "term", "search", "text", "lookup", "order", "ordering",
    *(f"{field}{lookup}" for field in FIELDS for lookup in LOOKUPS),
    *(f"failed_attempts__entry__{field}__startswith" for field in FIELDS),
]  # fmt: skip


@pytest.fixture(autouse=True)
def log(record):
    """Somebody in every column that can hold them, and as the reference that a shop has chosen."""
    record("1")
    record("2", identity=f"pixel:{PIXEL}", payload=f'{{"type":"wishlist","userId":"{USER}"}}')
    record("3", identity=f"vtsid:{VTSID}", email_hash="")
    record(CANARY)
    for reference in (PIXEL, USER, SESSION):
        record(reference, identity=f"pixel:{PIXEL}")
    record(VTSID, identity=f"vtsid:{VTSID}")
    record(hashlib.sha256(CANARY.encode()).hexdigest())


@pytest.fixture(params=[(VIEW,), (VIEW, RESEND)], ids=["looks", "sends again"])
def masked(request, log_in):
    return log_in(*request.param)


def answer(client, method, address, form, asked):
    """All that is told, but for what was asked itself; and by how many statements, which is how long it takes."""
    filters.forget()
    with CaptureQueriesContext(connection) as captured:
        response = getattr(client, method)(address, form, follow=True)
    told = response.content.decode() + str(response.redirect_chain)
    for _time in range(3):
        told, asked = unquote_plus(html.unescape(told)), unquote_plus(asked)
    told = re.sub(r"ts=\d+", "", told).replace(asked, "(asked)")
    statements = sum("django_vt_sendlogentry" in query["sql"] for query in captured)
    return response.status_code, without_tokens(told), statements


def without_tokens(told):
    return "\n".join(line for line in told.splitlines() if "csrfmiddlewaretoken" not in line)


@pytest.mark.parametrize("kind", KNOWN)
def test_a_look_up_of_somebody_known_is_one_of_somebody_unknown(masked, kind):
    known, unknown = (answer(masked, "post", url("search"), {"text": asked}, asked) for asked in KNOWN[kind])
    assert known == unknown
    assert "No entry has this reference." in known[1]


@pytest.mark.parametrize("kind", KNOWN)
def test_no_parameter_of_the_list_answers_for_somebody_known(viewer, kind):
    for name in ("q", "email", "type", "reason", "same", "identity", "payload__contains", "reference__startswith"):
        known, unknown = (answer(viewer, "get", url("changelist"), {name: asked}, asked) for asked in KNOWN[kind])
        assert known == unknown, name


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_parameter_answers_for_somebody_known(viewer, name):
    known, unknown = (answer(viewer, "get", url("changelist"), {name: asked}, asked) for asked in KNOWN["address"])
    assert known == unknown


@pytest.mark.parametrize("kind", KNOWN)
def test_no_other_page_answers_for_somebody_known(viewer, kind):
    entry = SendLogEntry.objects.first()
    pages = [url(name, entry.pk) for name in ("change", "history")]
    pages += [reverse("admin:index"), reverse("admin:autocomplete"), reverse("admin:app_list", args=["django_vt"])]
    for page in pages:
        for name in ("q", "term", "_changelist_filters", "field_name"):
            known, unknown = (answer(viewer, "get", page, {name: asked}, asked) for asked in KNOWN[kind])
            assert known == unknown, (page, name)
    for asked in KNOWN[kind]:
        assert admin.site._registry[SendLogEntry].get_search_fields(None) == ()
        assert viewer.get(url("change", quote(asked, safe=""))).status_code in {302, 404}


@pytest.mark.parametrize("column", range(-9, 10))
def test_the_list_is_ordered_by_nothing_that_tells_of_people(viewer, column):
    for minute, entry in enumerate(SendLogEntry.objects.order_by("pk")):
        SendLogEntry.objects.filter(pk=entry.pk).update(created_at=NOON + timedelta(minutes=minute))
    listed = [entry.pk for entry in viewer.get(url("changelist"), {"o": str(column)}).context["cl"].result_list]
    assert listed in (sorted(listed), sorted(listed, reverse=True))


def test_a_reference_that_tells_of_nobody_is_found(masked):
    entry = SendLogEntry.objects.get(reference="2")
    assert masked.post(url("search"), {"text": " 2 "}).url == url("change", entry.pk)


def test_what_is_shown_of_a_reference_that_is_an_id_or_a_hash_is_a_glimpse(viewer):
    for entry in SendLogEntry.objects.all():
        for page in (url("changelist"), url("change", entry.pk), url("history", entry.pk)):
            shown = viewer.get(page).content.decode()
            for trace in (CANARY, USER, SESSION, VTSID, hashlib.sha256(CANARY.encode()).hexdigest()):
                assert trace not in shown


def test_who_may_see_people_finds_them_by_each(log_in):
    """Else the answers above would be alike because nobody is found by anything."""
    confidant = log_in(VIEW, PEOPLE)
    for kind in set(KNOWN) - {"beginning of an address"}:
        known, unknown = (answer(confidant, "post", url("search"), {"text": asked}, asked) for asked in KNOWN[kind])
        assert known != unknown, kind
