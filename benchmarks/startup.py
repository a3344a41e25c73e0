"""Start-up: what the app adds to `manage.py check`, and to any process that sets Django up."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial

from benchmarks import scale
from benchmarks.tables import compared
from benchmarks.turns import in_turn

ROUNDS = scale.of(15, smoke=2)
CONFIGURE = """
from django.conf import settings
settings.configure(
    INSTALLED_APPS={apps!r}, MIDDLEWARE={middleware!r}, DATABASES={databases!r}, USE_TZ=True,
    DJANGO_VT={{"ACCOUNT_ID": "acc123"}},
)
"""
SETUP = """
import django
django.setup()
"""
CHECK = """
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check"])
"""
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "IMMEDIATE"}}}
DJANGO = ["django.contrib.auth", "django.contrib.contenttypes"]
BEFORE, REQUESTS, AFTER = "Django alone", "Django and requests", "with django_vt"


def report(_vendor: str) -> str:
    """Milliseconds of whole processes."""
    setup, check = _process(SETUP), _process(CHECK)
    return f"{_table('`django.setup()`', setup)}\n{_table('`manage.py check`', check)}"


def _process(work: str) -> dict[str, str]:
    before = CONFIGURE.format(apps=DJANGO, middleware=[], databases=DATABASES) + work
    ours = [*DJANGO, "django_vt"], ["django_vt.middleware.VTIdentityMiddleware"]
    after = CONFIGURE.format(apps=ours[0], middleware=ours[1], databases=DATABASES) + work
    return {BEFORE: before, REQUESTS: f"{before}import requests", AFTER: after}


def _table(what: str, ways: dict[str, str]) -> str:
    measured = in_turn({name: partial(_start, code) for name, code in ways.items()}, ROUNDS)
    return compared(f"Start-up: a process that does {what}", "ms", measured, BEFORE)


def _start(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - begun) * 1e3
