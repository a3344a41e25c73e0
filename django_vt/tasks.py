"""Where the `autodiscover_tasks()` of a Celery app looks. Other queues look here too, and Celery may not be there."""

from __future__ import annotations

from importlib.util import find_spec

if find_spec("celery"):
    from django_vt.dispatchers.celery import deliver  # noqa: F401
