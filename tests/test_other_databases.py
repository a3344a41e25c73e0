"""Orders on another database than the default one: their events are there, with them."""

from __future__ import annotations

import pytest
from django.db import transaction

from django_vt.backends import locmem
from django_vt.models import SendLogEntry
from django_vt.signals import order_placed
from tests.ordering import order, visitor


class Rollback(Exception):
    """The shop's own failure."""


def place_on(alias, *, fails=False):
    with transaction.atomic(using=alias):
        order_placed.send(sender=None, **order(), request=visitor(), using=alias)
        assert not locmem.outbox
        if fails:
            raise Rollback


def test_an_order_on_another_database_is_kept_there_and_sent_from_there(other_database):
    place_on(other_database)
    assert SendLogEntry.objects.using(other_database).get().status == "sent"
    assert len(locmem.outbox) == 1
    assert not SendLogEntry.objects.exists()


def test_an_order_rolled_back_on_another_database_leaves_nothing_there(other_database):
    with pytest.raises(Rollback):
        place_on(other_database, fails=True)
    assert not SendLogEntry.objects.using(other_database).exists()
    assert not locmem.outbox
