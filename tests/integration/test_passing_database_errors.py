from __future__ import annotations

import logging

import pytest
from django.db import OperationalError

from django_vt.delivery import deliver_due
from django_vt.models import db
from django_vt.models.send_log import SendLogQuerySet
from tests.support.delivering import one, statuses

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("refused", [1, 3])
@pytest.mark.parametrize("verb", ["take", "mark_sent"])
def test_what_the_database_refuses_for_a_moment_is_done_all_the_same(script, monkeypatch, refused, verb):
    monkeypatch.setattr(db, "PAUSES", (0, 0, 0))
    one()
    failures = []
    honest = getattr(SendLogQuerySet, verb)

    def refuse(self, *args, **options):
        if len(failures) < refused:
            failures.append(1)
            raise OperationalError("canary@example.com")
        return honest(self, *args, **options)

    monkeypatch.setattr(SendLogQuerySet, verb, refuse)
    assert deliver_due().sent == 1
    assert script.sizes == [1]
    assert statuses() == {"sent": 1}


@pytest.mark.django_db(transaction=True)
def test_a_database_that_refuses_for_good_is_not_asked_for_ever(script, monkeypatch, caplog):
    monkeypatch.setattr(db, "PAUSES", (0, 0, 0))
    caplog.set_level(logging.DEBUG)
    one()
    calls = []

    def refuse(self, *args, **options):
        calls.append(1)
        raise OperationalError("canary@example.com")

    monkeypatch.setattr(SendLogQuerySet, "mark_sent", refuse)
    with pytest.raises(OperationalError):
        deliver_due()
    assert len(calls) == 4
    assert "canary" not in caplog.text


def test_inside_a_transaction_nothing_is_tried_again(monkeypatch):
    calls = []

    def refuse():
        calls.append(1)
        raise OperationalError

    with pytest.raises(OperationalError):
        db.with_retries(refuse, "default")
    assert calls == [1]
