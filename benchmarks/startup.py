"""Start-up: what the app adds to a process that sets Django up."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial

from benchmarks.tables import compared
from benchmarks.turns import in_turn

ROUNDS = 15
SETUP = """
from django.conf import settings
settings.configure(INSTALLED_APPS={apps!r}, DJANGO_VT={{"ACCOUNT_ID": "acc123"}}, USE_TZ=True)
import django
django.setup()
"""
DJANGO = ["django.contrib.auth", "django.contrib.contenttypes"]
WAYS = {"Django alone": DJANGO, "Django and requests": DJANGO, "with django_vt": [*DJANGO, "django_vt"]}


def report(_vendor: str) -> str:
    """Milliseconds of a whole process."""
    ways = {name: partial(_start, SETUP.format(apps=apps)) for name, apps in WAYS.items()}
    ways["Django and requests"] = partial(_start, SETUP.format(apps=DJANGO) + "import requests")
    return compared("Start-up: a process that calls django.setup()", "ms", in_turn(ways, ROUNDS), "Django alone")


def _start(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - begun) * 1e3
