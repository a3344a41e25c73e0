from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import DJANGO_VT

ROOT_URLCONF = "tests.projects.asgi.urls"
# Not the test environment's defaults: this is a process like a shop's own. What it records, the test reads.
DJANGO_VT = {**DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}
