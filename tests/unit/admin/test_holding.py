"""Holding and releasing sending: one button, confirmed, recorded."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages

from django_vt import dispatchers
from django_vt.models import Endpoint
from tests.support.people import url

YES = {"confirmed": "yes"}


def held() -> list[bool]:
    return list(Endpoint.objects.values_list("held_by_staff", flat=True))


def test_holding_asks_first(operator):
    response = operator.post(url("hold"), {"held": "yes"})
    assert b"Yes, hold sending" in response.content
    assert held() == []


def test_held_once_it_is_confirmed(operator):
    response = operator.post(url("hold"), {"held": "yes", **YES})
    assert (response.status_code, response.url) == (302, url("changelist"))
    assert [str(message) for message in get_messages(response.wsgi_request)] == ["Sending held."]
    assert held() == [True]
    page = operator.get(url("changelist")).content.decode()
    assert "Sending is held: events are recorded and wait until it is released." in page
    assert 'value="Release sending"' in page


def test_released_once_it_is_confirmed(operator, monkeypatch, django_capture_on_commit_callbacks):
    woken: list[str] = []
    monkeypatch.setattr(dispatchers, "wake", woken.append)
    operator.post(url("hold"), {"held": "yes", **YES})
    assert b"Yes, release sending" in operator.post(url("hold"), {"held": "no"}).content
    assert held() == [True]
    with django_capture_on_commit_callbacks(execute=True):
        operator.post(url("hold"), {"held": "no", **YES})
    assert held() == [False]
    assert woken == ["default"]
    assert 'value="Hold sending"' in operator.get(url("changelist")).content.decode()


def test_a_click_twice_is_a_click(operator):
    for _click in range(2):
        operator.post(url("hold"), {"held": "yes", **YES})
    assert held() == [True]


def test_both_are_in_the_history(operator):
    operator.post(url("hold"), {"held": "yes", **YES})
    operator.post(url("hold"), {"held": "no", **YES})
    lines = [(line.get_change_message(), line.object_repr) for line in LogEntry.objects.order_by("pk")]
    assert lines == [
        ("Sending held.", "all accounts"),
        ("Sending released.", "all accounts"),
    ]


def test_a_hold_is_seen_and_released_though_the_address_has_changed_since(operator, settings):
    operator.post(url("hold"), {"held": "yes", **YES})
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ENDPOINT": "https://new.example.com/event"}
    page = operator.get(url("changelist")).content.decode()
    assert "Sending is held" in page
    assert 'value="Release sending"' in page


@pytest.mark.parametrize("form", [{}, {"held": ""}, {"held": "maybe"}])
def test_anything_but_yes_and_no_is_refused(form, operator):
    assert operator.post(url("hold"), {**form, **YES}).status_code == 400
    assert held() == []
