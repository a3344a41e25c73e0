"""A dispatcher that has the workers of Django's tasks framework deliver.

That is `django.tasks` from Django 6.0 on; on 5.2 its backport, `pip install django-vt[tasks]`.
"""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import django
from django.core.checks import CheckMessage, Warning  # noqa: A004 - the name of Django's checks
from django.utils import timezone
from django.utils.module_loading import import_string

from django_vt.dispatchers.queue import QueueDispatcher

tasks: Any = import_module("django.tasks" if django.VERSION >= (6, 0) else "django_tasks")


class TasksDispatcher(QueueDispatcher):
    """Enqueues a task in the default queue of the backend `TASKS["default"]` for each wake.

    A worker delivers what is due. If the backend can defer tasks (`supports_defer`), the task also schedules another
    for what is due later. Otherwise that waits for the next event: have cron run `manage.py send_pending` every few
    minutes.
    """

    def publish(self, using: str) -> None:
        """Enqueue a task, after the shop's commit and in autocommit. Raises what the backend raises."""
        deliver.enqueue(using)

    def publish_later(self, using: str, seconds: float) -> None:
        """Enqueue a task that runs in `seconds`. Raises what the backend raises."""
        deliver.using(run_after=timezone.now() + timedelta(seconds=seconds)).enqueue(using)

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """Warn if the backend's tasks are not run by workers."""
        backend = tasks.task_backends["default"]
        if isinstance(backend, _backend_class("immediate.ImmediateBackend")):
            return [_warning("runs tasks in the web process, in place, and never comes back for what failed")]
        if isinstance(backend, _backend_class("dummy.DummyBackend")):
            return [_warning("runs no task: events wait for `manage.py send_pending`")]
        return []


@tasks.task  # type: ignore[untyped-decorator]
def deliver(using: str | None = None) -> None:
    """Deliver what is due on the database `using`, by default the send log's; schedule a task for what is due later."""
    TasksDispatcher().deliver(using, comes_back=deliver.get_backend().supports_defer)


def _backend_class(name: str) -> type:
    found: type = import_string(f"{tasks.__name__}.backends.{name}")
    return found


def _warning(what_it_does: str) -> CheckMessage:
    return Warning(
        f'The backend TASKS["default"], which DJANGO_VT["DISPATCHER"] uses, {what_it_does}.',
        hint="Configure a backend with workers, such as that of django-tasks-db, or use another dispatcher.",
        id="django_vt.W003",
    )
