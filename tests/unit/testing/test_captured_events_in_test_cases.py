"""In the test cases that Django has."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async
from django.test import TestCase, TransactionTestCase

from django_vt import atrack
from django_vt.delivery import deliver_due
from django_vt.events import Event
from django_vt.testing import captured_events
from tests.projects.shop.models import Order
from tests.unit.testing.recording import SHOPPER, Failure, place_order, record, record_and_fail, references

pytestmark = pytest.mark.any_database


class InATestCase(TestCase):
    def test_an_order_is_captured(self):
        with captured_events() as events:
            place_order(self.client, "100023")
        assert references(events) == ["100023"]

    def test_an_order_rolled_back_is_not(self):
        with captured_events() as events:
            place_order(self.client, "100023", "/buy-and-fail/")
        assert events == []
        assert not Order.objects.exists()

    @captured_events()
    def test_a_method_can_be_decorated(self, events):
        record("1")
        assert references(events) == ["1"]

    async def test_async_code_sees_the_tests_own_transaction(self):
        async with captured_events() as events:
            await sync_to_async(record)("1")
            with pytest.raises(Failure):
                await sync_to_async(record_and_fail)("2")
        assert references(events) == ["1"]

    @captured_events()
    async def test_an_async_method_can_be_decorated(self, events):
        await atrack(Event("wishlist", reference="1"), identity=SHOPPER)
        assert references(events) == ["1"]


class InATransactionTestCase(TransactionTestCase):
    def test_a_sent_order_is_captured_as_sent(self):
        with captured_events() as events:
            place_order(self.client, "100023")
            deliver_due()
        assert [(event.reference, event.status) for event in events] == [("100023", "sent")]

    def test_an_order_rolled_back_is_not(self):
        with captured_events() as events:
            place_order(self.client, "100023", "/buy-and-fail/")
        assert events == []

    async def test_a_sync_signal_in_async_code_is_captured(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("django_vt.recording.event_loop._warned.is_set", lambda: True)
            async with captured_events() as events:
                record("1")
            assert references(events) == ["1"]
