"""The send log in Romanian, where nouns are counted in three ways: 1 intrare, 2 intrări, 20 de intrări."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from datetime import timezone as zones

import pytest
from django.utils import translation

from django_vt.admin.explain import Story
from django_vt.models import Endpoint, SendLogEntry
from django_vt.models.functions import milliseconds
from django_vt.operations.sending_state import SendingState
from tests.support.people import url
from tests.unit.admin.conftest import RESEND, VIEW, ago

pytestmark = pytest.mark.any_database

ENTRIES = {1: "1 intrare", 2: "2 intrări", 19: "19 intrări", 20: "20 de intrări", 101: "101 intrări"}


@pytest.fixture(autouse=True)
def _in_romanian(settings):
    settings.LANGUAGE_CODE = "ro"


@pytest.fixture
def client(log_in):
    return log_in(VIEW, RESEND)


def text(response) -> str:
    assert response.status_code == 200
    page = html.unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).replace("\xa0", " ")
    return f" {' '.join(page.split())} "


@pytest.mark.parametrize(("count", "words"), ENTRIES.items())
def test_the_list_counts_its_entries(count, words, client, record):
    for number in range(count):
        record(str(number))
    page = text(client.get(url("changelist")))
    assert f" {words} " in page
    assert "Jurnalul de trimiteri" in page


def test_a_list_beyond_the_limit_counts_on(client, record, monkeypatch):
    monkeypatch.setattr("django_vt.models.functions.LIMIT", 20)
    for number in range(21):
        record(str(number))
    assert " peste 20 de intrări " in text(client.get(url("changelist")))


def test_the_list_says_how_things_stand(client, record):
    record(status="failed", reason="answered: 503", attempts=8, due_at=None)
    record(due_at=ago(minutes=20, seconds=5))
    page = text(client.get(url("changelist")))
    for said in (
        "Intrări după stare",
        "Ultimele 24 de ore",
        "Motivele eșecurilor",
        "Vibetrace nu a putut-o primi atunci (răspuns 503)",
        "Cea mai veche intrare de trimis așteaptă de 20 de minute.",
        "întârzie de 20 de minute: trimiterea magazinului nu pare să funcționeze",
        "După stare",
        "Trimite din nou intrările selectate",
    ):
        assert said in page


@pytest.mark.parametrize(
    ("attempts", "words"),
    [
        (1, "A eșuat definitiv după 1 încercare."),
        (2, "A eșuat definitiv după 2 încercări."),
        (20, "A eșuat definitiv după 20 de încercări."),
    ],
)
def test_the_page_of_an_entry_tells_its_life(attempts, words, client, record):
    entry = record(status="failed", reason="invalid: total", attempts=attempts)
    page = text(client.get(url("change", entry.pk)))
    assert f"{words} Totalul comenzii nu este o sumă." in page
    assert "Nimic de la sine. Corectați totalul comenzii. Apoi trimiteți-o din nou." in page
    assert "Ce urmează" in page


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "1 intrare va fi pusă în coadă și trimisă din nou"),
        (2, "2 intrări vor fi puse în coadă și trimise din nou"),
        (20, "20 de intrări vor fi puse în coadă și trimise din nou"),
    ],
)
def test_the_confirmation_counts_what_it_asks_about(count, words, client, record):
    ids = ",".join(str(record(str(number), status="sent").pk) for number in range(count))
    page = text(client.post(url("resend"), {"ids": ids}))
    assert words in page
    assert f"{count} dintre ele {'a' if count == 1 else 'au'} ajuns deja la destinație." in page
    assert client.post(url("resend"), {"ids": ids, "confirmed": "yes"}).status_code == 302


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (1, "1 intrare a fost pusă în coadă pentru a fi trimisă din nou."),
        (2, "2 intrări au fost puse în coadă pentru a fi trimise din nou."),
        (20, "20 de intrări au fost puse în coadă pentru a fi trimise din nou."),
    ],
)
def test_the_message_counts_what_was_queued(count, words, client, record):
    ids = ",".join(str(record(str(number), status="sent").pk) for number in range(count))
    assert words in text(client.post(url("resend"), {"ids": ids, "confirmed": "yes"}, follow=True))


def test_dates_and_numbers_are_romanian(client, record, monkeypatch):
    entry = record(status="sent", sent_at=datetime(2026, 3, 2, 12, 30, tzinfo=zones.utc))
    assert "Vibetrace a acceptat-o la 02.03.2026 14:30:00" in text(client.get(url("change", entry.pk)))
    monkeypatch.setattr("django_vt.models.functions.count_each", lambda entries, asked: [10_001] * len(asked))
    assert " peste 10.000 " in text(client.get(url("changelist")))


def test_what_comes_next_is_said_in_one_breath(clock):
    now = clock.now
    address = {"account_id": "acc123", "event_type": "confirmation"}
    endpoint = Endpoint(**address, paused_until=milliseconds(now + timedelta(minutes=20)))
    entry = SendLogEntry(**address, status="pending", attempts=2, response_status=503, payload="{}")
    state = SendingState(now, milliseconds(now), enabled=True, held=False, endpoints=(endpoint,))
    story = Story(entry, state)
    with translation.override("ro"):
        said = story.next().replace("\xa0", " ")
    assert said == "Trimiterea este în pauză pentru 20 de minute, încercarea 3 din 8, ultimul răspuns: 503."
