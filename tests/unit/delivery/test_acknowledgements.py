"""A change was committed, and the connection ended before the database could say so."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from django_vt.delivery import DeliveryReport, deliver_due
from django_vt.models import SendAttempt
from django_vt.models.send_log import SendLogQuerySet
from django_vt.signals import event_failed, event_sent
from tests.support.delivering import one, pending

pytestmark = pytest.mark.django_db


def test_a_success_whose_acknowledgement_was_lost_is_counted_and_told(script, monkeypatch):
    pending(3)
    heard = []
    event_sent.connect(listener := lambda entry, **kwargs: heard.append(entry.pk))
    lose_the_first_acknowledgement(monkeypatch, "mark_sent")
    try:
        assert deliver_due() == DeliveryReport(requests=1, sent=3)
    finally:
        event_sent.disconnect(listener)
    assert len(heard) == 3


def test_a_final_failure_whose_acknowledgement_was_lost_is_counted_and_told(clock, script, monkeypatch):
    bad = one(batch_limit=1, accepted_when_rejected=-1, due_at=clock.now)
    script.reject(bad)
    heard = []
    event_failed.connect(listener := lambda entry, **kwargs: heard.append(entry.pk))
    lose_the_first_acknowledgement(monkeypatch, "mark_tried")
    try:
        assert deliver_due() == DeliveryReport(requests=1, failed=1)
    finally:
        event_failed.disconnect(listener)
    assert heard == [bad.pk]
    assert SendAttempt.objects.count() == 1


def lose_the_first_acknowledgement(monkeypatch, verb: str) -> None:
    """The statement is carried out, and committed with what stands around it; the answer does not arrive."""
    honest, lost = getattr(SendLogQuerySet, verb), []

    def once(function, using):
        try:
            result = function()
        except OperationalError:
            return function()
        if lost == ["now"]:
            lost.append("done")
            return function()
        return result

    def change(self, *args, **becomes):
        if not lost:
            lost.append("now")
        return honest(self, *args, **becomes)

    monkeypatch.setattr(SendLogQuerySet, verb, change)
    monkeypatch.setattr("django_vt.delivery.settle.with_retries", once)
