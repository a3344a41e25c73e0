from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings

from django_vt import atrack
from django_vt.events import Event
from django_vt.testing import captured_events
from tests.unit.testing.recording import SHOPPER, Failure, record, record_and_fail, references

pytestmark = pytest.mark.any_database


@pytest.mark.django_db(transaction=True)
def test_async_code_is_captured():
    async def record_two():
        async with captured_events() as events:
            await atrack(Event("wishlist", reference="1"), identity=SHOPPER)
            assert references(events) == ["1"]
            await sync_to_async(record)("2")
        return events

    assert references(async_to_sync(record_two)()) == ["1", "2"]


@pytest.mark.django_db(transaction=True)
def test_async_code_sees_no_rolled_back_event_once_it_may_look():
    async def record_in_vain():
        async with captured_events() as events:
            with pytest.raises(Failure):
                await sync_to_async(record_and_fail)("1")
            assert await sync_to_async(list)(events) == []
        return list(events)

    assert async_to_sync(record_in_vain)() == []


@pytest.mark.django_db(transaction=True)
@captured_events()
def test_a_decorated_async_function_gets_the_events(events):
    @captured_events()
    async def record_one(reference: str, events) -> list[str]:
        await atrack(Event("wishlist", reference=reference), identity=SHOPPER)
        return references(events)

    assert async_to_sync(record_one)("1") == ["1"]
    assert references(events) == ["1"]


def test_a_plain_with_on_a_running_event_loop_says_what_to_write():
    async def misuse():
        with captured_events():
            pass

    before = settings.DJANGO_VT
    with pytest.raises(RuntimeError, match="async with captured_events"):
        asyncio.run(misuse())
    assert settings.DJANGO_VT is before
