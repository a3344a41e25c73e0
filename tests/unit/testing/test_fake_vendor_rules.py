from __future__ import annotations

import threading

import pytest

from django_vt.testing import Answer, FakeVendor
from tests.support.raw_client import LOGIN, ask, asking, confirmation, read_answer

pytestmark = pytest.mark.any_database


def statuses(vendor, count: int, *events) -> list[int]:
    return [ask(vendor, *events or (LOGIN,)) for _ in range(count)]


def test_a_misbehaviour_lasts_until_the_vendor_is_told_to_behave(vendor):
    vendor.misbehave(Answer(500))
    assert statuses(vendor, 3) == [500, 500, 500]
    vendor.behave()
    assert statuses(vendor, 2) == [200, 200]


def test_a_misbehaviour_can_be_for_the_next_few_requests(vendor):
    vendor.misbehave(Answer(500), times=2)
    assert statuses(vendor, 4) == [500, 500, 200, 200]


def test_what_was_told_first_comes_first(vendor):
    vendor.misbehave(Answer(500), times=1)
    vendor.misbehave(Answer(429), times=2)
    vendor.misbehave(Answer(404))
    assert statuses(vendor, 5) == [500, 429, 429, 404, 404]


def test_a_misbehaviour_can_be_for_requests_with_something_in_them(vendor):
    vendor.misbehave(Answer(400), when=lambda request: "100023" in request.order_ids)
    good, bad = confirmation("100024"), confirmation("100023")
    assert [ask(vendor, good), ask(vendor, bad), ask(vendor, good, bad), ask(vendor, good)] == [200, 400, 400, 200]
    assert vendor.accepted_orders == {"100024": 2}


def test_a_number_counts_only_requests_that_match(vendor):
    vendor.misbehave(Answer(400), times=1, when=lambda request: request.event_type == "confirmation")
    assert statuses(vendor, 2) == [200, 200]
    assert statuses(vendor, 2, confirmation("100023")) == [400, 200]


def test_what_was_told_first_comes_first_with_a_condition_too(vendor):
    vendor.misbehave(Answer(400), when=lambda request: "100023" in request.order_ids)
    vendor.misbehave(Answer(500), times=1)
    vendor.misbehave(Answer(404), when=lambda request: True)
    assert statuses(vendor, 1, confirmation("100023")) == [400]
    assert statuses(vendor, 2) == [500, 404]


def test_a_condition_that_waits_holds_up_neither_other_requests_nor_the_records(vendor):
    asked, answered = threading.Event(), threading.Event()

    def waits(request) -> bool:
        asked.set()
        return answered.wait(5)

    vendor.misbehave(Answer(400), when=lambda request: request.event_type == "confirmation" and waits(request))
    with asking(vendor, confirmation("100023")) as client:
        assert asked.wait(5)
        assert ask(vendor, LOGIN) == 200
        assert vendor.events == [LOGIN]
        answered.set()
        assert read_answer(client)[0] == 400


def test_a_condition_may_give_the_vendor_new_orders(vendor):
    def breaks_it(request) -> bool:
        vendor.behave()
        vendor.misbehave(Answer(503), times=1)
        return True

    vendor.misbehave(Answer(400), when=breaks_it)
    assert statuses(vendor, 3) == [400, 503, 200]


@pytest.mark.parametrize("times", [0, -1])
def test_a_number_below_one_is_refused(times):
    with pytest.raises(ValueError, match="times: at least 1"):
        FakeVendor().misbehave(Answer(500), times=times)
