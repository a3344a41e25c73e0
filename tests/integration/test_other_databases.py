"""Orders on another database than the default one: their events are there, with them."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import override_settings

from django_vt.backends import locmem
from django_vt.models import SendLogEntry
from django_vt.signals import order_placed
from tests.support.ordering import order, visitor


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


class ReadsFromAReplica:
    """A router of a shop with a replica that lags: what was just written is not there."""

    def db_for_read(self, model, **hints):
        return "other"

    def db_for_write(self, model, **hints):
        return "default"


@pytest.mark.django_db(transaction=True)
def test_an_order_signalled_again_is_renewed_where_reads_go_to_a_replica_that_lags(other_database, settings, caplog):
    order_placed.send(sender=None, **order())  # nobody it could be attributed to
    with override_settings(DATABASE_ROUTERS=["tests.integration.test_other_databases.ReadsFromAReplica"]):
        order_placed.send(sender=None, **order(), request=visitor())
    assert SendLogEntry.objects.using("default").get().status == "sent"
    assert caplog.records == []
