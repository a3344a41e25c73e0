from __future__ import annotations

import pytest

from django_vt.testing import Answer, FakeVendor, ResetBeforeReading
from tests.unit.testing.raw_client import LOGIN, ask, confirmation


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


def test_a_share_of_the_requests_is_drawn_from_the_seed(vendor):
    drawn = []
    for seed in (1, 1, 2):
        vendor.reset()
        vendor.misbehave(Answer(500), share=0.3, seed=seed)
        drawn.append(statuses(vendor, 100))
    assert drawn[0] == drawn[1] != drawn[2]
    assert 15 <= drawn[0].count(500) <= 45
    assert drawn[0].count(500) + drawn[0].count(200) == 100


def test_a_share_may_be_limited_to_a_number(vendor):
    vendor.misbehave(Answer(500), share=0.5, times=3)
    assert statuses(vendor, 40).count(500) == 3


def test_of_several_misbehaviours_one_is_drawn_each_time(vendor):
    vendor.misbehave(Answer(500), Answer(429), Answer(404))
    assert set(statuses(vendor, 40)) == {500, 429, 404}


def test_a_misbehaviour_can_be_for_requests_with_something_in_them(vendor):
    vendor.misbehave(Answer(400), when=lambda request: "100023" in request.order_ids)
    good, bad = confirmation("100024"), confirmation("100023")
    assert [ask(vendor, good), ask(vendor, bad), ask(vendor, good, bad), ask(vendor, good)] == [200, 400, 400, 200]
    assert vendor.accepted_orders == {"100024": 2}


def test_a_number_counts_only_requests_that_match(vendor):
    vendor.misbehave(Answer(400), times=1, when=lambda request: request.event_type == "confirmation")
    assert statuses(vendor, 2) == [200, 200]
    assert statuses(vendor, 2, confirmation("100023")) == [400, 200]


def test_rules_without_a_condition_are_asked_first(vendor):
    vendor.misbehave(Answer(400), when=lambda request: True)
    vendor.misbehave(Answer(500), times=1)
    assert statuses(vendor, 2) == [500, 400]


def test_a_condition_may_give_the_vendor_new_orders(vendor):
    def breaks_it(request) -> bool:
        vendor.behave()
        vendor.misbehave(Answer(503), times=1)
        return True

    vendor.misbehave(Answer(400), when=breaks_it)
    assert statuses(vendor, 3) == [400, 503, 200]


@pytest.mark.parametrize(
    ("misbehaviours", "options", "message"),
    [
        ((), {}, "needs a misbehaviour"),
        ((Answer(500),), {"times": 0}, "times"),
        ((Answer(500),), {"share": 0}, "share"),
        ((Answer(500),), {"share": 30}, "share"),
        ((Answer(500), ResetBeforeReading()), {"when": lambda request: True}, "when"),
    ],
)
def test_what_makes_no_sense_is_refused(misbehaviours, options, message):
    with pytest.raises(ValueError, match=message):
        FakeVendor().misbehave(*misbehaviours, **options)
