from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from django_vt.exceptions import DeliveryError
from django_vt.protocol import outcome, reasons
from django_vt.protocol.outcome import Fate, Kind, Record, Reply, Turn, Verdict

pytestmark = pytest.mark.any_database

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
MISCONFIGURED = {*range(300, 400), 401, 403, 404, 405, 410}
TO_RETRY = {408, 425, 429, *range(500, 600), *range(100, 200)}
DELAYS = (5, 300, 1800)


def expected_kind(status: int) -> Kind:
    if 200 <= status < 300:
        return Kind.ACCEPTED
    if status in TO_RETRY:
        return Kind.RETRY
    return Kind.MISCONFIGURED if status in MISCONFIGURED else Kind.REJECTED


@pytest.mark.parametrize("status", range(100, 600))
def test_every_status_has_its_row_in_the_table(status):
    verdict = outcome.judge(Reply(status), NOW)
    assert verdict.kind is expected_kind(status)
    assert verdict.response_status == status
    assert verdict.is_endpoints_fault is (verdict.kind is Kind.MISCONFIGURED)
    assert verdict.reason == ("" if verdict.kind is Kind.ACCEPTED else f"answered: {status}")


@pytest.mark.parametrize("status", [0, 99, 600, 999])
def test_a_status_outside_http_is_tried_again(status):
    assert outcome.judge(Reply(status), NOW).kind is Kind.RETRY


@pytest.mark.parametrize("reason", sorted(reasons.CODES))
def test_no_answer_is_tried_again_and_says_why(reason):
    away = {"unreachable", "unknown host", "tls", "tls version"}
    kind = Kind.MISCONFIGURED if reason == "plain http" else Kind.AWAY if reason in away else Kind.RETRY
    assert outcome.judge(DeliveryError(reason), NOW) == Verdict(kind, reason)


@pytest.mark.parametrize(
    ("status", "header", "kind"),
    [
        (429, "7", Kind.AWAY),
        (503, "7", Kind.AWAY),
        (429, None, Kind.RETRY),
        (503, "soon", Kind.RETRY),
        (500, "7", Kind.RETRY),
        (400, "7", Kind.REJECTED),
        (403, "7", Kind.MISCONFIGURED),
    ],
)
def test_a_vendor_that_asks_for_a_rest_speaks_of_itself(status, header, kind):
    assert outcome.judge(Reply(status, header), NOW).kind is kind


def test_what_a_backend_of_the_shops_own_says_is_not_taken_for_a_reason():
    verdict = outcome.judge(DeliveryError("no route for buyer@example.com"), NOW)
    assert verdict == Verdict(Kind.RETRY, reasons.BACKEND_FAILED)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("1", 1),
        ("0", 1),
        ("3600", 3600),
        ("3601", 3600),
        ("9" * 400, 3600),
        ("Mon, 23 Nov 2026 12:02:00 GMT", 120),
        ("Mon, 23 Nov 2026 12:02:00", 120),
        ("Mon, 23 Nov 2026 14:02:00 +0200", 120),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 1),
        ("Tue, 24 Nov 2026 12:00:00 GMT", 3600),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\u00b2", None),
        ("Mon, 99 Nov 2026 12:02:00 GMT", None),
        ("Mon, 23 Nov 0000 12:02:00 GMT", 1),
        ("\0\xff", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_second_and_an_hour(header, seconds):
    assert outcome.judge(Reply(503, header), NOW).retry_after == seconds


def test_retry_after_works_without_time_zones(settings):
    settings.USE_TZ = False
    naive = NOW.astimezone().replace(tzinfo=None)
    assert outcome.judge(Reply(503, "Mon, 23 Nov 2026 12:02:00 GMT"), naive).retry_after == 120


FAULTLESS = [Kind.AWAY, Kind.MISCONFIGURED]
SINCE = Record(accepted_since_tried=True, accepted_since_rejected=True)


@pytest.mark.parametrize("kind", FAULTLESS)
@pytest.mark.parametrize("shared", [True, False])
def test_the_endpoints_fault_costs_entries_nothing(kind, shared):
    assert outcome.fate(Verdict(kind), shared=shared, record=SINCE, allowed=1) is Fate.AGAIN


@pytest.mark.parametrize("kind", [Kind.RETRY, Kind.REJECTED])
@pytest.mark.parametrize("record", [Record(), SINCE])
def test_entries_that_shared_a_request_are_split_at_no_attempts_cost(kind, record):
    assert outcome.fate(Verdict(kind), shared=True, record=record, allowed=1) is Fate.SPLIT


@pytest.mark.parametrize(
    ("kind", "record", "fate"),
    [
        (Kind.REJECTED, Record(), Fate.WAIT),
        (Kind.REJECTED, Record(accepted_since_tried=True), Fate.WAIT),
        (Kind.REJECTED, Record(accepted_since_rejected=True), Fate.FAILED),
        (Kind.RETRY, Record(attempts=99), Fate.WAIT),
        (Kind.RETRY, Record(attempts=99, accepted_since_rejected=True), Fate.WAIT),
        (Kind.RETRY, Record(attempts=0, accepted_since_tried=True), Fate.LATER),
        (Kind.RETRY, Record(attempts=2, accepted_since_tried=True), Fate.LATER),
        (Kind.RETRY, Record(attempts=3, accepted_since_tried=True), Fate.FAILED),
    ],
)
def test_a_lone_failure_counts_only_where_something_else_was_accepted_since(kind, record, fate):
    allowed = outcome.attempts_allowed(DELAYS)
    assert allowed == 4
    assert outcome.fate(Verdict(kind), shared=False, record=record, allowed=allowed) is fate


NO_FAILURES = {"is_probe": False, "failures_in_row": 0, "patience": 2, "pauses": 0}


@pytest.mark.parametrize(
    ("verdict", "changes", "seconds"),
    [
        (Verdict(Kind.RETRY), {}, None),
        (Verdict(Kind.REJECTED), {}, None),
        (Verdict(Kind.RETRY), {"failures_in_row": 1}, None),
        (Verdict(Kind.RETRY), {"failures_in_row": 2}, 5),
        (Verdict(Kind.REJECTED), {"failures_in_row": 2}, 5),
        (Verdict(Kind.RETRY), {"failures_in_row": 2, "patience": 3}, None),
        (Verdict(Kind.AWAY), {}, 5),
        (Verdict(Kind.MISCONFIGURED), {}, 5),
        (Verdict(Kind.RETRY), {"is_probe": True}, 5),
        (Verdict(Kind.AWAY, retry_after=120), {}, 120),
        (Verdict(Kind.RETRY, retry_after=120), {"failures_in_row": 2}, 5),
        *((Verdict(Kind.AWAY), {"pauses": pauses}, 5 * 2**pauses) for pauses in range(8)),
        (Verdict(Kind.AWAY), {"pauses": 8}, 900),
        (Verdict(Kind.AWAY), {"pauses": 100_000}, 900),
    ],
)
def test_it_pauses_at_once_for_the_endpoints_fault_else_after_failures_in_a_row(verdict, changes, seconds):
    assert outcome.pause_after(verdict, **{**NO_FAILURES, **changes}) == seconds


@pytest.mark.parametrize(
    ("failures", "patience", "shared", "pauses", "becomes"),
    [
        (1, 2, False, 0, 3),
        (1, 6, False, 0, 6),
        (0, 3, True, 0, 2),
        (0, 2, True, 0, 2),
        (0, 3, False, 0, 3),
        (3, 3, False, 4, 4),
        (3, 6, False, 5, 2),
    ],
)
def test_patience_grows_where_failures_were_the_entries_fault(failures, patience, shared, pauses, becomes):
    given = outcome.patience_after_success(failures_in_row=failures, patience=patience, shared=shared, pauses=pauses)
    assert given == becomes


TURNS = {"fresh_waits": True, "suspects_wait": True, "suspects_in_flight": 0, "fresh_since": 3, "concurrency": 4}


@pytest.mark.parametrize(
    ("changes", "turn"),
    [
        ({}, Turn.SUSPECT),
        ({"fresh_since": 2}, Turn.FRESH),
        ({"suspects_in_flight": 1}, Turn.FRESH),
        ({"suspects_wait": False}, Turn.FRESH),
        ({"fresh_waits": False, "fresh_since": 0}, Turn.SUSPECT),
        ({"fresh_waits": False, "suspects_in_flight": 2}, Turn.SUSPECT),
        ({"fresh_waits": False, "suspects_in_flight": 3}, None),
        ({"fresh_waits": False, "concurrency": 1}, Turn.SUSPECT),
        ({"fresh_waits": False, "suspects_wait": False}, None),
    ],
)
def test_suspects_get_one_request_in_four_while_others_wait(changes, turn):
    assert outcome.next_turn(**{**TURNS, **changes}) is turn


def test_a_batch_is_halved_down_to_one():
    failed = Verdict(Kind.RETRY, "answered: 500")
    assert [outcome.smaller(size, failed, patience=2) for size in (20, 10, 5, 3, 2)] == [10, 5, 2, 1, 1]


def test_a_batch_that_timed_out_and_one_among_many_bad_ones_is_split_into_single_entries():
    assert outcome.smaller(20, Verdict(Kind.RETRY, "timed out"), patience=2) == 1
    assert outcome.smaller(20, Verdict(Kind.RETRY, "answered: 500"), patience=4) == 1


@pytest.mark.parametrize(("attempts", "delay"), list(enumerate(DELAYS, start=1)))
def test_delays_are_those_of_the_settings_give_or_take_a_fifth(attempts, delay):
    drawn = [outcome.delay_after(attempts, DELAYS) for _ in range(500)]
    assert all(delay * 0.8 <= seconds <= delay * 1.2 for seconds in drawn)
    assert max(drawn) - min(drawn) > delay * 0.2


def test_the_last_delay_is_kept_and_none_is_shorter_than_a_second():
    assert 1800 * 0.8 <= outcome.delay_after(99, DELAYS) <= outcome.longest_delay(DELAYS) == 1800 * 1.2
    assert outcome.delay_after(1, (0,)) == 1
    assert 4 <= outcome.delay_after(1, ()) <= 6


def test_a_date_in_the_future_is_measured_from_the_time_given():
    later = NOW - timedelta(minutes=5)
    assert outcome.judge(Reply(429, "Mon, 23 Nov 2026 12:02:00 GMT"), later).retry_after == 420
