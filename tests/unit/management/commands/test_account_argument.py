"""`--account` is one argument of many commands: what it takes is the same, and what is another account's is left."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.management import load_command_class
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from django_vt.models import Endpoint, OrdersLook, RememberedIdentity, SendLogEntry
from django_vt.operations.unreported import last_look
from django_vt.protocol.outcome import Reply
from django_vt.recording import record
from tests.support.delivering import configure, endpoint_row, one, pending
from tests.support.ordering import confirmation
from tests.unit.management.commands.conftest import failed, fails, ms, pause, run, status_of

pytestmark = pytest.mark.django_db

TWO = {"one.example": "acc123", "two.example": "acc124"}
# Those that are about what is recorded, be it for an account that the settings no longer name, and those that send.
OF_THE_RECORDED = ("hold_sending", "release_sending", "resend", "purge_send_log", "send_log_status")
OF_THE_SETTINGS = ("send_pending", "find_unreported_orders", "send_test_event")
ORDERS = "tests.unit.management.commands.test_account_argument."
OLD = timedelta(days=100)


@pytest.fixture(autouse=True)
def _two_accounts(settings, script, nothing_is_sent_by_itself):
    configure(settings, ACCOUNT_ID=TWO, ORDERS=f"{ORDERS}orders")


def orders(since, until):
    """The shop knows of an order of each account, and of one that can be either's."""
    yield "acc123", confirmation(order_id="1", email="buyer@example.com")
    yield "acc124", confirmation(order_id="1", email="buyer@example.com")
    yield confirmation(order_id="3", email="buyer@example.com")


def of_an_account_unknown(since, until):
    yield "acc125", confirmation()


@pytest.mark.parametrize("name", [*OF_THE_RECORDED, *OF_THE_SETTINGS])
def test_an_account_that_nobody_knows_is_refused_and_the_known_ones_are_named(name):
    error = fails(name, "--account=acc-typo")
    assert str(error) == ('argument --account: there is no such account; DJANGO_VT["ACCOUNT_ID"] names acc123, acc124')
    assert error.returncode == 2


@pytest.mark.parametrize("name", [*OF_THE_RECORDED, *OF_THE_SETTINGS])
def test_each_command_has_it_with_help(name):
    parser = load_command_class("django_vt", name).create_parser("manage.py", name)
    assert "--account ID" in parser.format_help()


@pytest.mark.parametrize("name", OF_THE_SETTINGS)
def test_what_sends_refuses_an_account_that_only_the_send_log_knows(name):
    one(account_id="production")
    assert "there is no such account" in str(fails(name, "--account=production"))


@pytest.mark.parametrize("name", OF_THE_RECORDED)
def test_all_else_takes_an_account_that_only_the_send_log_knows(name):
    endpoint_row(account_id="production")
    run(name, "--account=production", **({"dry_run": True} if name == "resend" else {}))


@pytest.mark.parametrize("name", ["hold_sending", "release_sending", "send_pending"])
def test_an_empty_one_as_of_a_variable_that_is_not_set_does_not_mean_all(name):
    one(account_id="", status="skipped", due_at=None)
    assert str(fails(name, "--account=")).startswith("argument --account: ")
    assert not Endpoint.objects.held()


def test_where_a_function_decides_any_that_could_be_an_account_is_taken(settings):
    configure(settings, ACCOUNT_ID=f"{ORDERS}account_of")
    assert run("send_pending", "--account=whatever")
    assert str(fails("send_pending", "--account=a/b")).endswith('DJANGO_VT["ACCOUNT_ID"] names a function')


def test_where_the_settings_name_none_that_is_said(settings):
    configure(settings, ACCOUNT_ID="")
    assert str(fails("hold_sending", "--account=acc123")).endswith("names none")


def account_of(event, request):
    return "acc123"


# send_pending


def test_only_what_is_due_of_the_account_is_sent(script):
    first, second = pending(account_id="acc123"), pending(3, account_id="acc124")
    assert run("send_pending", "--account=acc124").startswith("3 sent")
    assert {status_of(entry) for entry in second} == {"sent"}
    assert status_of(first[0]) == "pending"


def test_an_outage_of_another_account_is_neither_probed_nor_told(script):
    pause(account_id="acc123", paused_until=ms(seconds=-1))
    waiting = one(account_id="acc123", batch_limit=1, due_at=ms(seconds=-1))
    one(account_id="acc124")
    assert (
        run("send_pending", "--account=acc124") == "1 sent, 0 to be tried again, 0 failed, 0 skipped, in 1 request.\n"
    )
    assert status_of(waiting) == "pending"
    assert run("send_pending", "--account=acc123").startswith("1 sent")


def test_a_worker_for_an_account_sleeps_until_something_of_that_is_due(script):
    from django_vt.delivery.deliver import Delivery

    one(account_id="acc123")
    with Delivery("default", account_id="acc124") as delivery:
        delivery.run()
        assert delivery.seconds_until_due() is None
        one(account_id="acc124", due_at=ms(seconds=30), batch_limit=1)
        pause(account_id="acc123", paused_until=ms(seconds=2))
        delivery.run()
        assert delivery.seconds_until_due() > 20


def test_a_worker_says_whose_events_it_sends(script, monkeypatch):
    monkeypatch.setattr("django_vt.delivery.worker.Worker.run_forever", lambda worker: None)
    assert 'Sending what is due of account acc124 on the database "default"' in run(
        "send_pending", "--forever", "--account=acc124"
    )


# purge_send_log


def test_what_is_old_of_another_account_is_kept(settings):
    configure(settings, PAYLOAD_DAYS=1)
    old = {"status": "sent", "due_at": None, "created_at": timezone.now() - OLD, "sent_at": timezone.now() - OLD}
    emptied = {**old, "created_at": timezone.now()}
    for account_id in ("acc123", "production"):
        one(account_id=account_id, **old)
        one(account_id=account_id, **emptied)
        RememberedIdentity.objects.create(
            key="1", account_id=account_id, identity="{}", created_at=timezone.now() - OLD
        )
    would = run("purge_send_log", "--account=production", "--dry-run")
    assert would.startswith("Would delete 1 entry (1 sent, 0 skipped) and 1 remembered identity")
    assert "Would empty 2 payloads" in would
    did = run("purge_send_log", "--account=production")
    assert did.startswith("Deleted 1 entry (1 sent, 0 skipped) and 1 remembered identity")
    assert "Emptied 1 payload " in did
    assert list(SendLogEntry.objects.filter(account_id="production").values_list("payload", flat=True)) == [""]
    assert SendLogEntry.objects.filter(account_id="acc123").exclude(payload="").count() == 2
    assert RememberedIdentity.objects.get().account_id == "acc123"


# send_log_status


def test_figures_are_the_accounts_own(script):
    pending(2, account_id="acc123", due_at=ms(hours=-1), batch_limit=1)
    one(account_id="acc123", **failed())
    one(account_id="acc124", due_at=ms(minutes=-2), batch_limit=1)
    pending(2, account_id="acc124", **failed(reason="tls"))
    one(account_id="acc124", **failed())
    pause(account_id="acc123")
    run("hold_sending", "--account=acc123")
    told = run("send_log_status", "--account=acc124")
    assert told.splitlines()[0] == (
        'Send log on the database "default", account acc124, of the newest 10,000 entries of each status:'
    )
    assert "           1  pending\n           0  sent\n           3  failed" in told
    assert "The oldest due entry has been due for 2 minutes." in told
    assert "acc123" not in told
    seen = json.loads(run("send_log_status", "--account=acc124", "--format=json"))
    assert (seen["account"], seen["endpoints"], seen["held_accounts"]) == ("acc124", [], [])
    assert seen["reasons"] == [
        {"status": "failed", "reason": "tls", "count": 2},
        {"status": "failed", "reason": "answered: 500", "count": 1},
    ]
    assert seen["reasons_of_newest"] == seen["counted_up_to"] == 10_000
    assert "held by staff" in run("send_log_status", "--account=acc123")


def test_something_of_another_account_that_is_due_is_not_its_fault():
    one(account_id="acc123", due_at=ms(hours=-1), batch_limit=1)
    assert run("send_log_status", "--account=acc124", "--max-age=15m")
    assert fails("send_log_status", "--account=acc123", "--max-age=15m")


def test_of_an_account_that_the_settings_do_not_name_it_says_so_and_of_no_other():
    pending(2, account_id="production")
    one(account_id="staging")
    assert "Account production is none" in run("send_log_status", "--account=production")
    assert "staging" not in run("send_log_status", "--account=production")


def test_for_prometheus_each_sample_is_labelled_with_the_account_and_none_is_there_twice():
    one(account_id="acc123")
    pause(account_id="acc124")
    run("hold_sending", "--account=acc124")
    told = run("send_log_status", "--account=acc124", "--format=prometheus")
    samples = [sample for family in text_string_to_metric_families(told) for sample in family.samples]
    assert {sample.labels["account"] for sample in samples} == {"acc124"}
    assert len({(each.name, *sorted(each.labels.items())) for each in samples}) == len(samples)
    values = {(each.name, each.labels.get("status")): each.value for each in samples}
    assert values["django_vt_held", None] == 1
    assert values["django_vt_entries", "pending"] == 0


# find_unreported_orders


def test_the_same_number_in_two_shops_is_found_where_it_is_missing():
    record.track(confirmation(order_id="1"), account_id="acc123")
    record.track(confirmation(order_id="3"), account_id="acc123")
    assert fails("find_unreported_orders").printed == "1\n"
    assert run("find_unreported_orders", "--account=acc123") == "0 orders without an entry.\n"
    assert fails("find_unreported_orders", "--account=acc124").printed == "1\n"


def test_orders_of_which_nobody_knows_the_shop_are_reported_for_the_account():
    assert fails("find_unreported_orders").printed == "1\n1\n3\n"
    assert run("find_unreported_orders", "--account=acc124", "--report")
    recorded = SendLogEntry.objects.order_by("reference").values_list("reference", "account_id", "status")
    assert list(recorded) == [("1", "acc124", "pending"), ("3", "acc124", "pending")]
    assert fails("find_unreported_orders").printed == "1\n"


def test_the_account_that_was_remembered_at_the_checkout_is_the_orders():
    key = {"key": record.attribution.key_of("3"), "identity": "{}", "created_at": timezone.now()}
    RememberedIdentity.objects.create(account_id="acc123", **key)
    assert fails("find_unreported_orders", "--account=acc124").printed == "1\n"
    assert fails("find_unreported_orders", "--account=acc123").printed == "1\n3\n"
    RememberedIdentity.objects.create(account_id="acc124", **key)
    assert fails("find_unreported_orders", "--account=acc124").printed == "1\n3\n"


def test_a_look_at_one_accounts_orders_is_not_remembered_as_one_at_all():
    fails("find_unreported_orders", "--account=acc124")
    assert last_look() is None
    assert last_look(account_id="acc124").found == 2
    fails("find_unreported_orders")
    assert (last_look().found, OrdersLook.objects.count()) == (3, 2)


def test_an_order_of_an_account_that_the_settings_do_not_name_is_said(settings):
    configure(settings, ORDERS=f"{ORDERS}of_an_account_unknown")
    assert str(fails("find_unreported_orders")).startswith("ORDERS failed: account_id: is none of those in ACCOUNT_ID")


# send_test_event


def test_a_test_event_goes_to_the_account_that_is_named(script):
    assert "/acc124/django_vt_test:" in run("send_test_event", "--account=acc124")
    assert [request.account_id for request in script.requests] == ["acc124"]


def test_of_several_accounts_one_must_be_named(script):
    error = fails("send_test_event")
    assert str(error) == 'argument --account: is needed; DJANGO_VT["ACCOUNT_ID"] names acc123, acc124'
    assert script.requests == []


def test_an_obstacle_of_another_account_is_none(script):
    pause(account_id="acc123")
    assert "The event is accepted." in run("send_test_event", "--account=acc124")
    script.answer = lambda request: Reply(200)
    assert "do not follow yet" in str(fails("send_test_event", "--account=acc123"))
