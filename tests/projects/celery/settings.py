"""The tests' settings with Celery for a dispatcher; broker, queue and vendor come from the environment."""

from __future__ import annotations

from typing import Any

from tests.settings import *  # noqa: F403
from tests.settings import env

DJANGO_VT = {
    "ACCOUNT_ID": "acc123",
    "ENDPOINT": env("VT_ENDPOINT", default="http://127.0.0.1:9/event"),
    "DISPATCHER": "django_vt.dispatchers.celery.CeleryDispatcher",
    "TIMEOUT": (1, 2),
    "LEASE": 6,
}

CELERY_BROKER_URL = env("BROKER_URL", default="memory://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = env.json("BROKER_OPTIONS", default={})
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# An idle worker sees that it is to end when it wakes next. On RabbitMQ that is for this, every half second instead of
# up to ten.
CELERY_BROKER_HEARTBEAT = 120
CELERY_BROKER_HEARTBEAT_CHECKRATE = 240
CELERY_TASK_DEFAULT_QUEUE = env("BROKER_QUEUE", default="django_vt_tests")
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
