from __future__ import annotations

import inspect

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from django_vt.exceptions import InvalidField
from django_vt.models import SendLogEntry
from django_vt.signals import order_placed
from django_vt.testing import captured_events
from tests.support.ordering import order
from tests.unit.testing.recording import Failure, place_order, record, record_and_fail, references

pytestmark = pytest.mark.any_database


@pytest.mark.django_db
def test_what_a_block_recorded_is_there_in_its_order():
    record("before")
    with captured_events() as events:
        record("1")
        record("2")
    record("after")
    assert references(events) == ["1", "2"]
    assert all(isinstance(event, SendLogEntry) for event in events)


@pytest.mark.django_db
def test_the_events_can_be_looked_at_inside_the_block():
    with captured_events() as events:
        assert events == []
        entry = record("1")
        assert events == [entry]
        assert (len(events), events[0], events[:5], list(events)) == (1, entry, [entry], [entry])
        assert entry in events


@pytest.mark.django_db
def test_an_event_that_is_recorded_twice_is_there_once():
    with captured_events() as events:
        record("1", dedup_key="a")
        record("2")
        record("1", dedup_key="a")
    assert references(events) == ["1", "2"]


@pytest.mark.django_db
def test_an_event_that_was_recorded_before_the_block_counts_when_it_comes_again():
    record("1", dedup_key="a")
    with captured_events() as events:
        record("1", dedup_key="a")
    assert references(events) == ["1"]


@pytest.mark.django_db
def test_a_rolled_back_event_is_gone():
    with captured_events() as events:
        record("kept")
        with pytest.raises(Failure):
            record_and_fail("rolled back")
        assert references(events) == ["kept"]
    assert references(events) == ["kept"]


@pytest.mark.django_db
def test_a_rolled_back_event_is_gone_though_its_error_leaves_the_block():
    with pytest.raises(Failure), captured_events() as events:
        record_and_fail("rolled back")
    assert events == []


@pytest.mark.django_db
def test_a_block_inside_a_transaction_that_is_lost_hands_on_the_error_and_has_no_events():
    captured = []

    def lose_the_transaction() -> None:
        with transaction.atomic(), captured_events() as events:
            captured.append(events)
            record("1")
            with transaction.atomic(savepoint=False):
                raise Failure

    with pytest.raises(Failure):
        lose_the_transaction()
    assert captured == [[]]


@pytest.mark.django_db
def test_the_events_are_as_the_database_has_them_until_the_block_ends():
    with captured_events() as events:
        record("1")
        assert events[0].status == "pending"
        SendLogEntry.objects.filter(reference="1").update(attempts=3)
        assert events[0].attempts == 3
    SendLogEntry.objects.filter(reference="1").update(attempts=4)
    assert events[0].attempts == 3


@pytest.mark.django_db
def test_nothing_recorded_needs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0), captured_events() as events:
        assert events == []


def test_nothing_recorded_needs_no_database():
    with captured_events() as events:
        assert len(events) == 0


@pytest.mark.django_db
def test_a_look_takes_one_query_and_after_the_block_none(django_assert_num_queries):
    with captured_events() as events:
        record("1")
        record("2")
        with django_assert_num_queries(1):
            assert references(events) == ["1", "2"]
    with django_assert_num_queries(0):
        assert references(events) == ["1", "2"]


@pytest.mark.django_db
def test_blocks_may_be_nested():
    with captured_events() as outer:
        record("1")
        with captured_events() as inner:
            record("2")
    assert (references(outer), references(inner)) == (["1", "2"], ["2"])


@pytest.mark.django_db
def test_the_events_compare_and_show_themselves_as_a_list_does():
    with captured_events() as events, captured_events() as same:
        entry = record("1")
    assert events == same == [entry]
    assert [entry] == events
    assert events != []
    assert events != (entry,)
    assert repr(events) == repr([entry])
    with pytest.raises(TypeError, match="unhashable"):
        hash(events)


# Settings


@pytest.mark.django_db
def test_inside_the_block_errors_in_recording_are_raised(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "BEFORE_RECORD": f"{__name__}.no_consent_known"}
    assert record() is None
    with captured_events() as events, pytest.raises(Failure):
        record()
    assert events == []
    assert record() is None


def no_consent_known(event, identity, request):
    raise Failure


@pytest.mark.parametrize("failure", [None, Failure])
def test_the_settings_are_put_back(failure):
    before = settings.DJANGO_VT
    try:
        with captured_events():
            assert {**before, "FAIL_SILENTLY": False} == settings.DJANGO_VT
            if failure:
                raise failure
    except Failure:
        pass
    assert settings.DJANGO_VT is before
    assert "FAIL_SILENTLY" not in before


@pytest.mark.django_db
def test_a_project_without_the_setting_can_capture(settings):
    del settings.DJANGO_VT
    with captured_events() as events:
        record("1")
    assert references(events) == ["1"]


# As a decorator


@pytest.mark.django_db
@captured_events()
def test_a_decorated_test_gets_the_events_and_its_fixtures(events, client):
    place_order(client, "100023")
    assert references(events) == ["100023"]


@pytest.mark.django_db
def test_each_call_of_a_decorated_function_captures_anew():
    @captured_events()
    def references_of(reference: str, *, events) -> list[str]:
        record(reference)
        return references(events)

    assert (references_of("1"), references_of("2")) == (["1"], ["2"])
    assert str(inspect.signature(references_of)) == "(reference: 'str') -> 'list[str]'"


@pytest.mark.django_db
def test_a_decorated_function_need_not_take_the_events():
    @captured_events()
    def record_one() -> bool:
        """Says something."""
        record("1")
        return settings.DJANGO_VT["FAIL_SILENTLY"]

    assert record_one() is False
    assert (record_one.__name__, record_one.__doc__) == ("record_one", "Says something.")


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"total": None}, {"items": [("a", 0)]}, {"order_id": ""}])
def test_an_order_that_cannot_be_sent_is_raised(wrong):
    with pytest.raises(InvalidField), captured_events():
        order_placed.send(sender=None, **order(**wrong))


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["force_login", "login"])
def test_the_test_clients_own_login_is_not_listed_and_one_through_the_page_is(client, way):
    user = User.objects.create_user("shopper", "shopper@example.com", "secret")
    with captured_events() as events:
        client.force_login(user) if way == "force_login" else client.login(username="shopper", password="secret")
        place_order(client, "100023")
    assert references(events) == ["100023"]
    with captured_events() as events:
        client.post("/login/", {"username": "shopper", "password": "secret"})
    assert [event.event_type for event in events] == ["login"]
