"""With more than one account each is shown, filtered for and held apart; with one the pages are as they were."""

from __future__ import annotations

import html

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages

from django_vt.admin import filters
from django_vt.models import Endpoint, SendLogEntry, functions
from django_vt.operations import strangers
from tests.support.delivering import configure, endpoint_row
from tests.support.people import url

TWO = {"one.ro": "acc-ro", "one.bg": "acc-bg"}


@pytest.fixture
def two(settings):
    configure(settings, ACCOUNT_ID=TWO)


@pytest.fixture
def of_both(two, record):
    return [record(str(number), account_id=account) for number, account in enumerate(("acc-ro", "acc-bg", "acc-bg"))]


def page(client, name="changelist", *args, **query):
    filters.forget()
    return html.unescape(client.get(url(name, *args), query).content.decode())


def listed(client, **query):
    filters.forget()
    return sorted(entry.reference for entry in client.get(url("changelist"), query).context["cl"].result_list)


def said(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_with_one_account_nothing_speaks_of_accounts(operator, record):
    entry = record()
    shown = page(operator) + page(operator, "change", entry.pk)
    for word in ("column-account", "By account", "vt-accounts", "field-account", 'name="account"', 'value="skip"'):
        assert word not in shown


def test_with_several_the_list_and_the_page_show_it(operator, of_both):
    shown = page(operator)
    assert "column-account" in shown
    assert '<td class="field-account">acc-bg</td>' in shown
    assert "acc-bg" in page(operator, "change", of_both[1].pk)


def test_the_list_is_filtered_by_it_together_with_what_else_is_asked(operator, of_both, record):
    record("failed", account_id="acc-bg", status="failed", reason="answered: 400")
    record("others", account_id="acc-ro", status="failed", reason="answered: 400")
    assert "By account" in page(operator)
    assert listed(operator) == ["0", "1", "2", "failed", "others"]
    assert listed(operator, account="acc-bg") == ["1", "2", "failed"]
    assert listed(operator, account="acc-bg", status="failed") == ["failed"]
    assert listed(operator, account="acc-bg", reason="answered: 400") == ["failed"]
    assert listed(operator, account="nobody's") == []
    assert "nobody's" in page(operator, account="nobody's")


def test_the_filter_reads_no_more_than_the_newest_within_the_limit(operator, of_both, monkeypatch):
    monkeypatch.setattr(functions, "LIMIT", 2)
    assert listed(operator, account="acc-ro") == []
    assert listed(operator, account="acc-bg") == ["1", "2"]


def test_each_account_has_its_line_and_its_hold(operator, of_both):
    endpoint_row("acc-ro", "confirmation", paused_until=10**14)
    shown = page(operator)
    assert ">acc-ro</a>: Sending to it fails and is tried again." in shown
    assert ">acc-bg</a>: Open." in shown
    assert 'value="Hold sending for acc-bg"' in shown
    asked = operator.post(url("hold"), {"held": "yes", "account": "acc-bg"}).content.decode()
    assert "Only for account acc-bg." in asked
    assert '<input type="hidden" name="account" value="acc-bg">' in asked
    assert Endpoint.objects.held_accounts() == []
    operator.post(url("hold"), {"held": "yes", "account": "acc-bg", "confirmed": "yes"})
    assert (Endpoint.objects.held_accounts(), Endpoint.objects.held()) == (["acc-bg"], False)
    shown = page(operator)
    assert ">acc-bg</a>: Held: its events are recorded and wait." in shown
    assert 'value="Release sending for acc-bg"' in shown
    operator.post(url("hold"), {"held": "no", "account": "acc-bg", "confirmed": "yes"})
    assert Endpoint.objects.held_accounts() == []
    history = LogEntry.objects.order_by("pk")
    assert [(line.get_change_message(), line.object_repr) for line in history] == [
        ("Sending held.", "acc-bg"),
        ("Sending released.", "acc-bg"),
    ]


def test_where_all_is_held_no_account_is_released_apart(operator, of_both):
    operator.post(url("hold"), {"held": "yes", "confirmed": "yes"})
    shown = page(operator)
    assert "Release sending for" not in shown
    assert ">acc-bg</a>: Held" in shown


def test_who_may_only_look_is_offered_no_hold_of_an_account(viewer, of_both):
    shown = page(viewer)
    assert ">acc-bg</a>: Open." in shown
    assert "Hold sending for" not in shown


@pytest.mark.parametrize("name", ["hold", "resend"])
def test_an_account_that_nobody_knows_is_refused(operator, of_both, name):
    form = {"held": "yes", "ids": of_both[0].pk, "account": "acc-typo", "confirmed": "yes"}
    assert operator.post(url(name), form).status_code == 400
    assert not Endpoint.objects.exists()


# Entries of accounts that the settings do not name


@pytest.fixture
def stranger(record):
    record("mine")
    return record("theirs", account_id="production")


def test_what_is_of_an_account_that_the_settings_do_not_name_is_shown_as_such(operator, stranger):
    shown = page(operator)
    assert '<td class="field-account">production (not in the settings)</td>' in shown
    assert ">production</a>: The settings do not name it: 1 entry of it waits and is not sent." in shown
    assert "Hold sending for production" not in shown
    told = page(operator, "change", stranger.pk)
    assert "Waits, and is not sent: the settings do not name its account." in told
    assert "production (not in the settings)" in told


def test_it_is_skipped_once_that_is_confirmed_and_nothing_else_is(operator, stranger):
    both = list(SendLogEntry.objects.values_list("pk", flat=True))
    assert 'value="skip"' in page(operator)
    asked = operator.post(url("changelist"), {"action": "skip", "_selected_action": both, "index": "0"})
    told = asked.content.decode()
    assert "1 entry waits for an account that the settings do not name." in told
    assert "1 is left as it is." in told
    assert strangers.of_strangers(both, "default") == [stranger.pk]
    response = operator.post(url("skip"), {"ids": ",".join(map(str, both)), "confirmed": "yes"})
    assert said(response) == ["1 entry was skipped."]
    stranger.refresh_from_db()
    assert (stranger.status, stranger.reason) == ("skipped", "set aside")
    assert SendLogEntry.objects.get(reference="mine").status == "pending"
    [line] = LogEntry.objects.all()
    assert (line.get_change_message(), line.object_repr) == ("Skipped.", "order theirs")
    assert "Staff have said that it is not to be sent" in page(operator, "change", stranger.pk)


def test_where_there_is_nothing_to_skip_there_is_nothing_to_confirm(operator, record):
    told = operator.post(url("skip"), {"ids": record().pk}).content.decode()
    assert "None of these entries waits for an account that the settings do not name." in told
    assert "Yes, skip" not in told


def test_a_login_that_came_between_leads_back_to_the_list(operator, stranger):
    assert operator.get(url("skip")).url == url("changelist")


def test_who_may_only_look_cannot_skip(viewer, stranger):
    assert viewer.post(url("skip"), {"ids": stranger.pk, "confirmed": "yes"}).status_code == 403
    stranger.refresh_from_db()
    assert stranger.status == "pending"


def test_an_account_that_is_named_no_more_can_be_sent_to_again_by_naming_it(operator, stranger, settings):
    operator.post(url("skip"), {"ids": stranger.pk, "confirmed": "yes"})
    operator.post(url("resend"), {"ids": stranger.pk, "confirmed": "yes"})
    stranger.refresh_from_db()
    assert (stranger.status, stranger.account_id) == ("pending", "production")


# Entries that were recorded for no account


@pytest.fixture
def of_nobodys(two, record):
    return record("lost", account_id="", status="skipped", reason="invalid: ACCOUNT_ID")


def test_what_was_recorded_for_no_account_is_left_until_somebody_says_which(operator, of_nobodys):
    told = operator.post(url("resend"), {"ids": of_nobodys.pk}).content.decode()
    assert "1 was recorded for no account, as nobody could tell whose shop it was of." in told
    assert "<option>acc-bg</option><option>acc-ro</option>" in told.replace("\n", "")
    response = operator.post(url("resend"), {"ids": of_nobodys.pk, "account": "", "confirmed": "yes"})
    assert said(response) == ["1 entry was left as it was."]
    of_nobodys.refresh_from_db()
    assert (of_nobodys.status, of_nobodys.reason) == ("skipped", "invalid: ACCOUNT_ID")


def test_it_is_sent_again_to_the_account_that_is_chosen(operator, of_nobodys):
    operator.post(url("resend"), {"ids": of_nobodys.pk, "account": "acc-bg", "confirmed": "yes"})
    of_nobodys.refresh_from_db()
    assert (of_nobodys.status, of_nobodys.account_id) == ("pending", "acc-bg")


def test_of_one_account_nobody_is_asked(operator, record):
    lost = record("lost", account_id="", status="skipped", reason="invalid: ACCOUNT_ID")
    assert "recorded for no account" not in operator.post(url("resend"), {"ids": lost.pk}).content.decode()
    operator.post(url("resend"), {"ids": lost.pk, "confirmed": "yes"})
    lost.refresh_from_db()
    assert (lost.status, lost.account_id) == ("pending", "acc123")
