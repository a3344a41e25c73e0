"""The dispatcher for Django's tasks framework with a real worker: that of django-tasks-db."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, override_settings
from django.utils.module_loading import import_string

from django_vt.dispatchers.django_tasks import TasksDispatcher
from django_vt.models import SendLogEntry
from django_vt.testing import Answer, FakeVendor
from tests.projects.tasks import settings as tasks_project
from tests.servers.conftest import PATIENCE, Process, Start

pytestmark = [pytest.mark.process, pytest.mark.server]


@pytest.fixture
def shop(fake_vendor: FakeVendor, transactional_db: None) -> Iterator[None]:
    """This process as the shop's web process, with the tables of the tasks in the test's database."""
    block = {**tasks_project.DJANGO_VT, "ENDPOINT": fake_vendor.endpoint}
    with override_settings(DJANGO_VT=block, INSTALLED_APPS=tasks_project.INSTALLED_APPS, TASKS=tasks_project.TASKS):
        call_command("migrate", "django_tasks_database", verbosity=0)
        yield
        TasksDispatcher.publishers.stop(PATIENCE)
        TasksDispatcher.publishers.forget()
        task_rows().delete()


def task_rows() -> Any:
    """The tasks in the database, done or not; their app is not in the tests' own settings."""
    return import_string("django_tasks_db.models.DBTaskResult").objects.all()


@pytest.fixture
def start_worker(start: Start, shop: None, fake_vendor: FakeVendor) -> Start:
    def start_worker() -> Process:
        return start(
            *("-m", "django", "db_worker", "--no-startup-delay", "--no-reload", "--interval=0.1"),
            DJANGO_SETTINGS_MODULE="tests.projects.tasks.settings",
            VT_ENDPOINT=fake_vendor.endpoint,
        )

    return start_worker


def place_orders(client: Client, *numbers: str) -> None:
    for number in numbers:
        assert client.post("/buy/", {"number": number, "email": "buyer@example.com"}).status_code == 200


def test_an_order_wakes_a_worker_that_delivers_it(start_worker, client, fake_vendor):
    worker = start_worker()
    worker.wait_until(lambda said: "Starting worker" in said)
    place_orders(client, "100023")
    fake_vendor.wait_for(1, timeout=PATIENCE)
    worker.wait_until(lambda _said: task_rows().get().status == "SUCCESSFUL")
    assert SendLogEntry.objects.get().status == "sent"
    assert worker.end() == 0


def test_a_worker_that_was_down_finds_the_wakes_when_it_comes(start_worker, client, fake_vendor):
    place_orders(client, "1", "2", "3")
    TasksDispatcher.publishers.stop(PATIENCE)
    start_worker()
    fake_vendor.wait_for(3, timeout=PATIENCE)
    assert fake_vendor.orders == {"1": 1, "2": 1, "3": 1}


def test_the_chain_delivers_what_failed_without_another_wake(start_worker, client, fake_vendor):
    fake_vendor.misbehave(Answer(503), times=1)
    worker = start_worker()
    place_orders(client, "100023")
    fake_vendor.wait_for(1, timeout=PATIENCE)
    worker.wait_until(lambda _said: [row.status for row in task_rows()] == ["SUCCESSFUL", "SUCCESSFUL"])
    assert SendLogEntry.objects.get().status == "sent"


def test_what_is_stored_of_a_task_holds_no_event(shop, client):
    place_orders(client, "100023")
    TasksDispatcher.publishers.stop(PATIENCE)
    assert task_rows().get().args_kwargs == {"args": ["default"], "kwargs": {}}


def test_the_check_has_nothing_to_say(shop):
    assert TasksDispatcher.check() == []
