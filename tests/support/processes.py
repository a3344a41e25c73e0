"""Processes of the tests' own, on the test's database and with a vendor on loopback."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

PATIENCE = 60.0  # seconds, after which a process is taken not to end
SETUP = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # os.fork() beside threads
import django
django.setup()
from django.conf import settings
settings.DJANGO_VT = {block!r}
from django.db import transaction
from django.test import Client
from django_vt import track
from django_vt.events import Event
from django_vt.identity import Identity

def order(number):
    with transaction.atomic():
        track(Event("wishlist", {{"productId": number}}, reference=number), identity=Identity(vtsid="1"))

"""


def start(body: str, environment: dict[str, str], **block: Any) -> subprocess.Popen[str]:
    """A process that runs `body` in a shop with these keys of DJANGO_VT."""
    code = SETUP.format(block={"ACCOUNT_ID": "acc123", **block}) + body
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(body: str, environment: dict[str, str], **block: Any) -> str:
    """The same, to its end; gives what it wrote to standard output."""
    process = start(body, environment, **block)
    told, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return told
