"""The task that a Celery app's `autodiscover_tasks()` finds. Other queues look here too, even without Celery."""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("celery"):
    from django_vt.dispatchers.celery import deliver  # noqa: F401
