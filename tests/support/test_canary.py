"""The search of the tests for leaks finds what it is to find."""

from __future__ import annotations

import gc

from django_vt.exceptions import DjangoVTError
from django_vt.models import SendLogEntry
from tests.support.canary import CANARY, objects_before_kept_apart, told_by_objects


def test_an_older_object_that_begins_to_tell_is_found():
    teller = DjangoVTError()
    with objects_before_kept_apart():
        assert told_by_objects() == []
        teller.args = (CANARY,)
        assert sorted(told_by_objects()) == [f"DjangoVTError('{CANARY}')", CANARY]


def test_a_younger_object_is_found():
    with objects_before_kept_apart():
        teller = DjangoVTError(CANARY)
        assert sorted(told_by_objects()) == [f"DjangoVTError('{CANARY}')", CANARY]
        del teller


def test_a_queryset_that_somebody_still_holds_is_not_asked_for_its_entries():
    held = SendLogEntry.objects.all()
    with objects_before_kept_apart():
        assert told_by_objects() == []
    del held


def test_afterwards_all_is_searched_again():
    with objects_before_kept_apart():
        pass
    assert gc.get_freeze_count() == 0
