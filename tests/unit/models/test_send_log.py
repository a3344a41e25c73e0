"""The tables as the contract has them, and the verbs by which staff and shoppers change the send log."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, models, transaction

from django_vt import track
from django_vt.events import Event
from django_vt.models import Endpoint, RememberedIdentity, SendAttempt, SendLogEntry
from django_vt.models.send_log import Status, live_claim
from tests.support.ordering import BUYER, PIXEL, confirmation, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(clock):
    return track(confirmation(email=BUYER), request=visitor())


def after(entry):
    return SendLogEntry.objects.get(pk=entry.pk)


@pytest.mark.parametrize(
    "columns",
    [["due_at", "id"], ["identity", "id"], ["email_hash", "id"], ["reference", "id"], ["created_at"],
     ["status", "created_at", "id"], ["event_type", "created_at", "id"], ["status", "event_type", "created_at", "id"]],
)  # fmt: skip
def test_the_send_log_has_an_index_on(columns):
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, SendLogEntry._meta.db_table)
    assert columns in [found["columns"] for found in constraints.values() if found["index"]]


@pytest.mark.parametrize(
    ("model", "columns"),
    [(SendLogEntry, ["dedup_key"]), (RememberedIdentity, ["key", "account_id"]), (Endpoint, ["key"])],
)
def test_what_may_be_there_once_is_unique_in_the_database(model, columns):
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, model._meta.db_table)
    assert columns in [found["columns"] for found in constraints.values() if found["unique"]]


def test_the_deduplication_key_is_unique_and_may_be_absent_many_times(entry):
    for _ in range(2):
        assert track(Event("wishlist"), identity=PIXEL).dedup_key is None
    copy = SendLogEntry(dedup_key=entry.dedup_key, created_at=entry.created_at)
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()


@pytest.mark.parametrize("model", [SendLogEntry, SendAttempt, Endpoint, RememberedIdentity])
def test_primary_keys_are_big(model):
    assert isinstance(model._meta.pk, models.BigAutoField)


def test_the_permissions_are_to_view_to_resend_and_to_see_persons():
    ours = Permission.objects.filter(content_type__app_label="django_vt").values_list("codename", flat=True)
    assert set(ours) == {"view_sendlogentry", "view_sendattempt", "resend_sendlogentry", "view_person", "forget_person"}


def test_the_statuses_of_the_verbs_are_those_of_the_model():
    assert SendLogEntry.Status.values == [Status.PENDING, Status.SENT, Status.FAILED, Status.SKIPPED]


def test_an_entry_says_its_type_and_reference_and_nothing_of_a_person(entry, clock):
    assert str(entry) == "order 100023"
    assert str(track(Event("wishlist"), identity=PIXEL)) == "wishlist"
    assert str(track(Event("wishlist", reference=BUYER), identity=PIXEL)) == "wishlist"
    assert str(SendAttempt(entry=entry, at=clock.now, reason="timed out")) == "2026-11-23 12:00:00 timed out"
    assert str(Endpoint(account_id="acc123", event_type="login", address="https://x")) == "acc123 at https://x"
    assert str(RememberedIdentity(key="k", identity=BUYER, created_at=clock.now)) == "remembered at 2026-11-23 12:00:00"


def test_the_event_of_an_entry_is_its_payload_parsed(entry):
    assert entry.event["generic"]["orderId"] == "100023"
    assert SendLogEntry(payload="").event is None


def test_forgetting_empties_what_tells_of_a_person_and_stops_what_was_pending(entry):
    assert SendLogEntry.objects.all().forget() == 1
    entry = after(entry)
    assert (entry.payload, entry.identity, entry.email_hash) == ("", "", "")
    assert (entry.status, entry.reason, entry.due_at, entry.claim) == (Status.SKIPPED, "forgotten", None, None)
    assert entry.reference == "100023"


def test_forgetting_what_was_sent_leaves_that_it_was_sent(entry, clock):
    entries = SendLogEntry.objects.all()
    entries.filter(pk=entry.pk).update(status=Status.SENT, sent_at=clock.now, response_status=200, due_at=None)
    entries.forget()
    assert (after(entry).status, after(entry).sent_at, after(entry).reason) == (Status.SENT, clock.now, "")


@pytest.mark.parametrize("status", [Status.FAILED, Status.SENT, Status.SKIPPED])
def test_resending_makes_it_as_new_and_due_now(entry, clock, status):
    SendLogEntry.objects.update(
        status=status,
        attempts=3,
        batch_limit=1,
        due_at=None,
        sent_at=clock.now,
        response_status=500,
        reason="answered: 500",
    )
    clock.advance(60)
    assert SendLogEntry.objects.all().resend("acc456", clock.ms) == 1
    entry = after(entry)
    assert (entry.status, entry.attempts, entry.batch_limit, entry.due_at) == (Status.PENDING, 0, None, clock.ms)
    assert (entry.sent_at, entry.response_status, entry.reason, entry.account_id) == (None, None, "", "acc123")


def test_resending_gives_what_had_no_account_the_one_there_is_now(settings, clock):
    settings.DJANGO_VT = {}
    entry = track(confirmation(), request=visitor())
    assert SendLogEntry.objects.all().resend("acc456", clock.ms) == 1
    assert (after(entry).account_id, after(entry).status) == ("acc456", Status.PENDING)


def test_resending_leaves_what_holds_no_event_or_nobody(entry, clock):
    nobody = track(confirmation(order_id="2"))
    SendLogEntry.objects.filter(pk=entry.pk).forget()
    assert SendLogEntry.objects.all().resend("acc123", clock.ms) == 0
    assert {after(entry).status, after(nobody).status} == {Status.SKIPPED}


def test_resending_leaves_what_a_worker_has_in_its_hands_until_its_lease_is_over(entry, clock):
    SendLogEntry.objects.update(claim="token", due_at=clock.ms + 120_000)
    assert SendLogEntry.objects.filter(live_claim(clock.ms)).count() == 1
    assert SendLogEntry.objects.all().resend("acc123", clock.ms) == 0
    clock.advance(120)
    assert SendLogEntry.objects.filter(live_claim(clock.ms)).count() == 0
    assert SendLogEntry.objects.all().resend("acc123", clock.ms) == 1
    assert after(entry).claim is None


def test_what_waits_after_a_try_that_did_not_count_is_due_again(entry, clock):
    entries = SendLogEntry.objects
    entries.update(attempts=1, waits=1, batch_limit=1, due_at=clock.ms + 1)
    assert entries.end_waits(entry.account_id, entry.event_type, clock.ms) == 0
    entries.update(waits=2)
    assert entries.end_waits(entry.account_id, "another", clock.ms) == 0
    assert entries.end_waits(entry.account_id, entry.event_type, clock.ms) == 1
    assert (after(entry).due_at, after(entry).waits) == (clock.ms, 1)


def test_suspects_that_are_put_off_are_due_no_sooner(entry, clock):
    entries, until = SendLogEntry.objects, clock.ms + 20_000
    assert entries.put_off_suspects(entry.account_id, entry.event_type, until) == 0
    entries.update(batch_limit=10, due_at=clock.ms)
    assert entries.put_off_suspects(entry.account_id, entry.event_type, until) == 1
    assert after(entry).due_at == until


def test_since_when_it_is_due_is_told_to_people(entry, clock):
    entries = SendLogEntry.objects.all()
    assert (entries.earliest_due(), entries.due_since(clock.ms)) == (0, entry.created_at)
    entries.update(due_at=clock.ms)
    assert entries.due_since(clock.ms) == after(entry).due_moment == clock.now
    entries.update(due_at=None)
    assert (entries.due_since(clock.ms), entries.earliest_due(), after(entry).due_moment) == (None, None, None)
