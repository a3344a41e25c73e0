"""What a chaos run compares: each broken promise is told, and nothing else is."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest

from tests.chaos.books import Books
from tests.chaos.duplicates import Request, Sender
from tests.chaos.processes import Kill

pytestmark = [pytest.mark.any_database, pytest.mark.ends]

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=timezone.utc)
THREAD, WORKER, CHILD = Sender("thread", 10, 10), Sender("send_pending", 20, 20), Sender("celery", 30, 31)
KILL_OF_WORKER = Kill("send_pending", 20, concurrency=2, in_flight=2)


def request(sender, *orders, after=0, accepted=True):
    return Request(sender, NOON + timedelta(seconds=after), orders, accepted)


GOOD = Books(
    committed=frozenset("abc"),
    recorded=Counter("abc"),
    sent=frozenset("abc"),
    unsettled=Counter(),
    unanswered={},
    requests=(request(THREAD, "a"), request(WORKER, "b", after=1), request(CHILD, "c", after=2)),
    kills=(),
)


def books(*further, **changes):
    """The good ones, with further requests and other changes."""
    return dataclasses.replace(GOOD, **{"requests": (*GOOD.requests, *further), **changes})


def test_books_that_agree_have_no_fault():
    assert list(GOOD.faults()) == []


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (books(committed=frozenset("abcd"), recorded=Counter("abcd")), "1 orders committed and never accepted (lost)"),
        (books(recorded=Counter("ab")), "1 orders committed and never recorded"),
        (books(recorded=Counter("abcc")), "1 orders recorded twice"),
        (books(request(THREAD, "undone", accepted=False)), "1 orders received and never committed (invented)"),
        (books(sent=frozenset("abcd")), "1 orders called sent and never received"),
        (books(unsettled=Counter(pending=2)), "2 entries stuck as pending"),
        (books(violations=1), "1 requests were not as the vendor's document has them"),
        (books(unclean_ends=("celery0: exit code 1",)), "celery0: exit code 1"),
        (books(requests=[request(THREAD, *"abc"), request(WORKER)]), "nothing was delivered by Celery"),
        (books(request(THREAD, "a", after=3)), "1 orders sent again though nobody was killed or left unanswered"),
    ],
)
def test_a_broken_promise_is_told(broken, fault):
    told = list(broken.faults())
    assert [words[: len(fault)] for words in told] == [fault], told


@pytest.mark.parametrize(
    "kill",
    [KILL_OF_WORKER, Kill("celery", 30, in_flight=2), Kill("celery child", 31)],
    ids=lambda kill: kill.kind,
)
def test_what_a_killed_process_had_in_flight_may_be_sent_again(kill):
    order = "b" if kill is KILL_OF_WORKER else "c"
    once_more = books(request(THREAD, order, after=9), kills=(kill,))
    assert list(once_more.faults()) == []
    assert [list(orders) for orders in once_more.duplicates.unnoted.values()] == [[order]]


def test_a_killed_process_explains_no_more_requests_than_it_can_have_in_flight():
    sent = [request(WORKER, order, after=after) for after, order in enumerate("defgh", 3)]
    again = request(THREAD, "b", "d", "e", after=9)
    assert books(*sent, again, kills=(KILL_OF_WORKER,)).duplicates.unexplained == ["e"]


def test_what_a_killed_process_had_not_stored_yet_of_its_last_group_may_be_sent_again():
    sent = [request(WORKER, order, after=3 + 0.02 * number) for number, order in enumerate("defgh")]
    again = request(THREAD, *"bdefgh", after=9)
    once_more = books(*sent, again, kills=(KILL_OF_WORKER,))
    assert once_more.duplicates.unexplained == []
    assert len(once_more.duplicates.unnoted) == 6


def test_another_processs_death_explains_nothing():
    assert books(request(THREAD, "b", after=9), kills=(Kill("thread", 10),)).duplicates.unexplained == ["b"]


def test_what_got_no_answer_may_be_sent_again_if_that_was_noted_meanwhile():
    again = request(THREAD, "b", after=9)
    noted = books(again, unanswered={"b": [NOON + timedelta(seconds=3)]})
    assert noted.duplicates.unanswered == ["b"]
    assert list(noted.faults()) == []
    for moment in (0, 10):
        elsewhen = books(again, unanswered={"b": [NOON + timedelta(seconds=moment)]})
        assert elsewhen.duplicates.unexplained == ["b"]


def test_a_request_may_be_repeated_whole_by_its_sender_and_at_once():
    """As the GET is, where a kept connection ended without a byte of answer."""
    assert books(request(WORKER, "b", after=2)).duplicates.repeated == ["b"]
    for other in (request(THREAD, "b", after=2), request(WORKER, "b", "d", after=2), request(WORKER, "b", after=3)):
        assert books(other).duplicates.unexplained == ["b"]


def test_a_sender_is_known_by_the_callback_of_its_requests():
    assert Sender.from_callback("celery_web_30_31") == Sender("celery_web", 30, 31)


def test_every_figure_is_printed():
    printed = "\n".join(books(request(THREAD, "b", after=9), kills=(KILL_OF_WORKER,)).lines())
    assert "1 processes killed with SIGKILL: 1 send_pending" in printed
    assert "in 1 requests; 2 at most were in flight at the kills" in printed
