from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from django_vt.exceptions import DeliveryError
from django_vt.protocol import outcome, reasons
from django_vt.protocol.outcome import Fate, Kind, Reply, Verdict

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
    assert verdict.pauses is (verdict.kind in {Kind.RETRY, Kind.MISCONFIGURED})
    assert verdict.reason == ("" if verdict.kind is Kind.ACCEPTED else f"answered: {status}")


@pytest.mark.parametrize("status", [0, 99, 600, 999])
def test_a_status_outside_http_is_tried_again(status):
    assert outcome.judge(Reply(status), NOW).kind is Kind.RETRY


@pytest.mark.parametrize("reason", sorted(reasons.CODES))
def test_no_answer_is_tried_again_and_says_why(reason):
    assert outcome.judge(DeliveryError(reason), NOW) == Verdict(Kind.RETRY, reason)


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


@pytest.mark.parametrize(
    ("kind", "shared", "accepted_since", "becomes"),
    [
        (Kind.REJECTED, False, False, Kind.MISCONFIGURED),
        (Kind.REJECTED, False, True, Kind.REJECTED),
        (Kind.REJECTED, True, False, Kind.REJECTED),
        (Kind.RETRY, False, False, Kind.RETRY),
    ],
)
def test_a_lone_rejection_speaks_against_the_entry_only_where_others_are_accepted(
    kind, shared, accepted_since, becomes
):
    verdict = Verdict(kind, "answered: 400", 400, 7.0)
    assert outcome.reconsider(verdict, shared=shared, accepted_since=accepted_since) == Verdict(
        becomes, "answered: 400", 400, 7.0
    )


@pytest.mark.parametrize("kind", [Kind.RETRY, Kind.MISCONFIGURED, Kind.REJECTED])
@pytest.mark.parametrize("counts", [True, False])
def test_entries_that_shared_are_split_whatever_happened(kind, counts):
    assert outcome.fate(Verdict(kind), shared=True, counts=counts, attempts=99, allowed=4) is Fate.SPLIT


@pytest.mark.parametrize(
    ("kind", "counts", "attempts", "fate"),
    [
        (Kind.REJECTED, True, 0, Fate.FAILED),
        (Kind.REJECTED, False, 0, Fate.FAILED),
        (Kind.RETRY, False, 99, Fate.AGAIN),
        (Kind.MISCONFIGURED, False, 99, Fate.AGAIN),
        (Kind.RETRY, True, 0, Fate.LATER),
        (Kind.RETRY, True, 2, Fate.LATER),
        (Kind.RETRY, True, 3, Fate.FAILED),
        (Kind.MISCONFIGURED, True, 3, Fate.FAILED),
    ],
)
def test_a_lone_entry_is_tried_as_often_as_there_are_delays_and_once_more(kind, counts, attempts, fate):
    allowed = outcome.attempts_allowed(DELAYS)
    assert allowed == 4
    assert outcome.fate(Verdict(kind), shared=False, counts=counts, attempts=attempts, allowed=allowed) is fate


def test_a_batch_is_halved_down_to_one():
    assert [outcome.halved(size) for size in (20, 10, 5, 3, 2, 1)] == [10, 5, 2, 1, 1, 1]


@pytest.mark.parametrize(("attempts", "delay"), list(enumerate(DELAYS, start=1)))
def test_delays_are_those_of_the_settings_give_or_take_a_fifth(attempts, delay):
    drawn = [outcome.delay_after(attempts, DELAYS) for _ in range(500)]
    assert all(delay * 0.8 <= seconds <= delay * 1.2 for seconds in drawn)
    assert max(drawn) - min(drawn) > delay * 0.2


def test_a_date_in_the_future_is_measured_from_the_time_given():
    later = NOW - timedelta(minutes=5)
    assert outcome.judge(Reply(429, "Mon, 23 Nov 2026 12:02:00 GMT"), later).retry_after == 420
