from __future__ import annotations

import pytest

from django_vt import dispatchers
from django_vt.dispatchers import Dispatcher
from django_vt.dispatchers.immediate import ImmediateDispatcher
from django_vt.dispatchers.manual import ManualDispatcher
from tests.support.delivering import configure, one, statuses

pytestmark = pytest.mark.django_db


class Broken(Dispatcher):
    def wake(self, using: str) -> None:
        raise LookupError("canary@example.com")

    def start(self, using: str) -> None:
        raise LookupError("canary@example.com")


@pytest.fixture
def first_request(monkeypatch):
    monkeypatch.setattr(dispatchers.first_request, "is_served", False)


def test_in_a_test_environment_it_is_the_immediate_one():
    assert isinstance(dispatchers.current(), ImmediateDispatcher)


def test_the_immediate_dispatcher_delivers_where_it_is_woken(script):
    one()
    dispatchers.wake("default")
    assert statuses() == {"sent": 1}


def test_the_manual_dispatcher_leaves_it_to_send_pending(settings, script):
    configure(settings, DISPATCHER="django_vt.dispatchers.manual.ManualDispatcher")
    one()
    dispatchers.wake("default")
    assert isinstance(dispatchers.current(), ManualDispatcher)
    assert (statuses(), script.requests) == ({"pending": 1}, [])


@pytest.mark.parametrize(
    ("path", "error"),
    [(f"{__name__}.Broken", "LookupError"), ("tests.nowhere.Dispatcher", "ModuleNotFoundError")],
)
def test_a_dispatcher_that_fails_reaches_nobody_and_is_told_of(settings, caplog, first_request, path, error):
    configure(settings, DISPATCHER=path)
    dispatchers.wake("default")
    dispatchers.start_with_first_request()
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert caplog.text.count(error) == 2
    assert "canary" not in caplog.text


def test_a_dispatcher_must_say_what_a_wake_does_and_need_not_start():
    with pytest.raises(TypeError, match="wake"):
        Dispatcher()  # type: ignore[abstract]
    ManualDispatcher().start("default")
    assert Dispatcher.check() == []


def test_while_disabled_the_first_request_starts_nothing(settings, caplog, first_request):
    configure(settings, DISPATCHER=f"{__name__}.Broken", ENABLED=False)
    dispatchers.start_with_first_request()
    assert caplog.text == ""


def test_only_the_first_request_starts_anything(settings, caplog, first_request):
    configure(settings, DISPATCHER=f"{__name__}.Broken")
    for _ in range(3):
        dispatchers.start_with_first_request()
    assert len(caplog.records) == 1


def test_a_forked_child_has_served_no_request(first_request):
    dispatchers.start_with_first_request()
    assert dispatchers.first_request.is_served
    dispatchers.first_request.forget()
    assert not dispatchers.first_request.is_served
