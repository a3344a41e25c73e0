"""A project that names its tables its own way: with a prefix, in capitals, in a schema."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from django_vt import track
from django_vt.models import SendLogEntry, fast_sql
from tests.support.delivering import pending, statuses
from tests.support.ordering import confirmation, visitor

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "My-Shop_django_vt log"


def rename(old, new):
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {quote(old)} RENAME TO {quote(new)}")


def forget_the_name():
    """What has been kept of it, here and in Django."""
    fast_sql._statements.cache_clear()
    for field in SendLogEntry._meta.concrete_fields:
        vars(field).pop("cached_col", None)


@pytest.fixture
def _named_by_the_project(transactional_db, monkeypatch):
    own = SendLogEntry._meta.db_table
    rename(own, NAME)
    monkeypatch.setattr(SendLogEntry._meta, "db_table", NAME)
    forget_the_name()
    yield
    monkeypatch.undo()
    forget_the_name()
    rename(NAME, own)


@pytest.mark.usefixtures("_named_by_the_project")
def test_events_are_recorded_claimed_and_settled_whatever_the_table_is_called():
    pending(2)
    with transaction.atomic():
        track(confirmation(), request=visitor())
    assert statuses() == {"sent": 3}
