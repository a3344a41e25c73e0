"""Recording: one row in the order's own transaction, found again by its key, woken for after the commit."""

from __future__ import annotations

import hashlib
import json
import threading
from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from django_vt import atrack, dispatchers, track
from django_vt.adapters import report
from django_vt.backends import locmem
from django_vt.events import Event, Login
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.models.send_log import Status
from django_vt.protocol.addresses import hash_of_address
from django_vt.recording import record
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, PIXEL, confirmation, order, place, visitor

pytestmark = pytest.mark.django_db


class Rollback(Exception):
    """The shop's own failure."""


def entries():
    return list(SendLogEntry.objects.order_by("pk"))


@transaction.atomic
def record_and_roll_back(event):
    assert track(event, request=visitor()).status == Status.PENDING
    raise Rollback


def test_an_event_becomes_an_entry_that_is_due_now(clock):
    entry = track(confirmation(email="Buyer@Example.com"), request=visitor())
    entry.refresh_from_db()
    assert (entry.status, entry.due_at, entry.created_at, entry.attempts) == (Status.PENDING, 0, clock.now, 0)
    assert (entry.account_id, entry.event_type, entry.reference) == ("acc123", "confirmation", "100023")
    assert entry.identity == "pixel:8139618027113397_253412802711339765"
    assert entry.email_hash == hashlib.sha256(b"buyer@example.com").hexdigest()
    assert entry.dedup_key == hashlib.sha256(b"acc123\0confirmation\x00100023").hexdigest()
    assert (entry.claim, entry.batch_limit, entry.sent_at, entry.response_status, entry.reason) == (None,) * 4 + ("",)
    assert entry.payload == (
        '{"userId":"8139618027113397","sessionId":"253412802711339765","type":"confirmation",'
        '"items":[{"id":"123123-M","quantity":2}],'
        '"generic":{"orderId":"100023","total":234.12,"email":"Buyer@Example.com"}}'
    )


def test_an_identitys_own_address_is_hashed_where_the_event_holds_none():
    entry = track(Event("wishlist"), identity=Identity(email="Buyer@Example.com"))
    assert entry.email_hash == hashlib.sha256(b"buyer@example.com").hexdigest()
    assert entry.identity == "email:buyer@example.com"
    assert json.loads(entry.payload)["email"] == "Buyer@Example.com"


def test_an_event_without_a_key_is_its_own_each_time():
    first, second = (track(Event("wishlist"), identity=PIXEL) for _ in range(2))
    assert (first.dedup_key, first.email_hash, first.reference) == (None, "", "")
    assert first.pk != second.pk


def test_events_with_one_key_are_one_and_the_first_is_given_back():
    first = track(Event("signup", {"n": 1}, dedup_key="a"), identity=PIXEL)
    again = track(Event("signup", {"n": 2}, dedup_key="a"), identity=PIXEL)
    others = [
        track(Event("signup", dedup_key="A"), identity=PIXEL),
        track(Event("other", dedup_key="a"), identity=PIXEL),
    ]
    assert again == first
    assert again.event["n"] == 1
    assert entries() == [first, *others]


def test_one_order_of_two_accounts_is_two(settings):
    place(request=visitor())
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ACCOUNT_ID": "acc456"}
    track(confirmation(), request=visitor())
    assert [entry.account_id for entry in entries()] == ["acc123", "acc456"]


def test_keys_are_joined_without_being_mixed_up():
    assert record.dedup_key("acc123", "a", "b") != record.dedup_key("acc123", "ab", "")
    assert record.dedup_key("acc123", "a", None) is None


def test_an_event_of_nobody_is_skipped_with_the_reason():
    entry = track(confirmation())
    assert (entry.status, entry.reason, entry.due_at, entry.identity) == (Status.SKIPPED, "nobody", None, "")
    assert entry.event == {"type": "confirmation", **{key: entry.event[key] for key in ("items", "generic")}}


def test_an_order_signalled_first_without_and_then_with_an_identity_is_sent_with_it(clock):
    first = track(confirmation())
    clock.advance(60)
    again = track(confirmation(email=BUYER), request=visitor())
    assert entries() == [first] == [again]
    assert (again.status, again.due_at, again.reason, again.attempts) == (Status.PENDING, 0, "", 0)
    assert again.event["userId"] == PIXEL.user_id
    assert again.event["generic"]["email"] == BUYER
    assert again.email_hash == hash_of_address(BUYER)


def test_an_order_that_had_failed_is_renewed():
    first = track(confirmation(), request=visitor())
    SendLogEntry.objects.update(
        status=Status.FAILED, attempts=8, due_at=None, response_status=400, reason="answered: 400"
    )
    again = track(confirmation(), identity=Identity(vtsid="site-1"))
    assert again == first
    assert (again.status, again.attempts, again.response_status, again.reason) == (Status.PENDING, 0, None, "")
    assert again.identity == "vtsid:site-1"


def test_a_repetition_that_nobody_can_be_named_for_renews_nothing():
    track(confirmation(), request=visitor())
    SendLogEntry.objects.update(status=Status.FAILED, due_at=None, reason="answered: 400")
    again = track(confirmation())
    assert (again.status, again.reason, again.identity) == (Status.FAILED, "answered: 400", PIXEL.stored_form)


@pytest.mark.parametrize("status", [Status.PENDING, Status.SENT])
def test_an_order_that_is_pending_or_sent_stays_as_it_is(status):
    first = track(confirmation(), request=visitor())
    SendLogEntry.objects.update(status=status)
    assert track(confirmation(total=1), identity=Identity(vtsid="site-1")).payload == first.payload
    assert entries()[0].status == status


@pytest.mark.parametrize("status", [Status.PENDING, Status.SENT, Status.FAILED, Status.SKIPPED])
def test_a_forgotten_order_is_never_recorded_again(status):
    track(confirmation(email=BUYER), request=visitor())
    SendLogEntry.objects.update(status=status)
    SendLogEntry.objects.all().forget()
    before = SendLogEntry.objects.values().get()
    track(confirmation(email=BUYER), request=visitor())
    assert SendLogEntry.objects.values().get() == before
    assert before["payload"] == before["identity"] == before["email_hash"] == ""


@pytest.mark.parametrize("account", ["", None, "acc/123", 5])
def test_an_order_without_a_usable_account_is_kept_to_be_seen(settings, account):
    settings.DJANGO_VT = {"ACCOUNT_ID": account}
    entry = track(confirmation(), request=visitor())
    assert (entry.status, entry.reason, entry.account_id) == (Status.SKIPPED, "invalid: ACCOUNT_ID", "")
    assert entry.event["userId"] == PIXEL.user_id


def test_nothing_is_recorded_where_the_app_is_off(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ENABLED": False}
    with CaptureQueriesContext(connection) as queries:
        assert track(confirmation(), request=visitor()) is None
        assert report(lambda: 1 / 0) is None
    assert len(queries) == 0


# What the checkout waits for: with psycopg 3 one round trip, on MariaDB one more than elsewhere, for the look.
STATEMENTS_OF_AN_ORDER = {
    "psycopg": [["SAVEPOINT", "INSERT", "RELEASE"]],
    "MySQLdb": [["SAVEPOINT"], ["SELECT"], ["INSERT"], ["RELEASE"]],
}.get(connection.Database.__name__, [["SAVEPOINT"], ["INSERT"], ["RELEASE"]])


def statements_of(event):
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        track(event, request=visitor())
    return [[statement.split()[0] for statement in query["sql"].split("; ")] for query in queries]


def test_an_order_costs_a_savepoint_and_an_insert():
    assert statements_of(confirmation(email=BUYER)) == STATEMENTS_OF_AN_ORDER


def test_an_event_without_a_key_is_never_looked_for():
    costs = [names for names in STATEMENTS_OF_AN_ORDER if names != ["SELECT"]]
    assert statements_of(Login(BUYER, "website")) == costs


def test_an_order_rolled_back_leaves_no_entry_and_no_wake(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as wakes, pytest.raises(Rollback):
        record_and_roll_back(confirmation())
    assert entries() == []
    assert wakes == []


def test_the_dispatcher_is_woken_after_the_commit_and_once_an_entry(django_capture_on_commit_callbacks, monkeypatch):
    woken = []
    monkeypatch.setattr(dispatchers, "wake", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        track(confirmation(), request=visitor())
        track(confirmation(order_id="2"))
        assert woken == []
    assert woken == ["default"]


@pytest.mark.django_db(transaction=True)
def test_an_order_committed_is_sent_and_one_rolled_back_is_not():
    with transaction.atomic():
        track(confirmation(), request=visitor())
        assert locmem.outbox == []
    with pytest.raises(Rollback):
        record_and_roll_back(confirmation(order_id="2"))
    assert [entry.status for entry in entries()] == [Status.SENT]
    assert [json.loads(request.payloads[0])["generic"]["orderId"] for request in locmem.outbox] == ["100023"]


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_has_one_of_its_own():
    assert track(confirmation(), request=visitor()).status == Status.PENDING
    assert [entry.status for entry in entries()] == [Status.SENT]


@pytest.mark.django_db(transaction=True)
def test_a_project_that_commits_by_itself_records_too(caplog):
    transaction.set_autocommit(False)
    try:
        for end in (transaction.rollback, transaction.commit):
            Order.objects.create(number="100023", total=1)
            assert track(confirmation(), request=visitor()).status == Status.PENDING
            end()
            assert [entry.reference for entry in entries()] == [order.number for order in Order.objects.all()]
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)
    assert len(entries()) == 1
    assert caplog.records == []


@pytest.mark.django_db(transaction=True)
def test_two_threads_that_record_one_order_leave_one_entry():
    together, found = threading.Barrier(2), []

    def record():
        together.wait()
        found.append(track(confirmation(), request=visitor()).pk)
        connections.close_all()

    threads = [threading.Thread(target=record) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [entry.pk for entry in entries()] == list(set(found))


@pytest.mark.parametrize("junk", ["junk", SimpleNamespace(type=5), SimpleNamespace(type="canary@example.com")])
def test_an_event_that_is_none_is_told_in_the_log_and_raises_nothing(junk, caplog):
    assert track(junk, request=visitor()) is None
    assert entries() == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "canary" not in caplog.text


class OfTheShop:
    """An event class of a shop's own."""

    type, email, reference, dedup_key = "quote", BUYER, "Q-1", "Q-1"

    def __init__(self, body):
        self.body = body


def test_an_event_class_of_the_shops_own_is_recorded():
    entry = track(OfTheShop(lambda identity: {"type": "quote", "to": identity.email}))
    assert (entry.payload, entry.reference) == ('{"type":"quote","to":"buyer@example.com"}', "Q-1")


def test_an_event_of_the_shops_own_that_json_has_no_form_for_is_skipped_with_the_reason(caplog):
    entry = track(OfTheShop(lambda identity: {"canary": object()}))
    assert (entry.status, entry.reason, entry.reference, entry.payload) == (
        Status.SKIPPED,
        "invalid: TypeError",
        "Q-1",
        "",
    )
    assert caplog.messages == ["quote Q-1 cannot be sent: TypeError"]


def test_what_cannot_become_an_event_is_skipped_and_a_mended_one_is_its_own():
    broken = place(total=None, request=visitor())
    assert (broken.status, broken.reason, broken.reference) == (Status.SKIPPED, "invalid: total", "100023")
    assert broken.dedup_key is None
    assert track(confirmation(), request=visitor()).pk != broken.pk


def test_an_order_signalled_twice_with_one_mistake_is_one_entry():
    assert place(total=None) == place(total=None)
    order_placed.send(sender=None, **order(items=None))
    assert [entry.reason for entry in entries()] == ["invalid: total", "invalid: items"]


def test_an_order_with_a_mistake_can_be_resent_without_what_is_wrong(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}
    place(items=[("a", 1), ("b", 0)], request=visitor())
    call_command("resend", str(entries()[0].pk))
    assert entries()[0].status == Status.SENT
    [request] = locmem.outbox
    assert json.loads(request.payloads[0])["items"] == [{"id": "a", "quantity": 1}]


async def record_async():
    return await atrack(confirmation(), request=visitor())


@pytest.mark.django_db(transaction=True)
def test_atrack_records_as_track_does():
    entry = async_to_sync(record_async)()
    assert entries() == [entry]
    assert entry.identity == PIXEL.stored_form
