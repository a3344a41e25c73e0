from __future__ import annotations

import os

from django.apps import AppConfig
from django.conf import settings


class ChaosConfig(AppConfig):
    """Scales the pauses and sleeps that are no settings, and has each process put its name to its requests."""

    name = "tests.chaos"

    def ready(self) -> None:
        """0.05 s for the first pause instead of 5, 1 s for the longest instead of 15 minutes."""
        from django_vt.delivery import claim, worker
        from django_vt.dispatchers import queue
        from django_vt.models import endpoint

        endpoint.FIRST_PAUSE, endpoint.LONGEST_PAUSE = 0.05, 1.0
        claim.SHORTEST_SLEEP, claim.LONGEST_SLEEP = 0.05, 1.0
        worker.SHORTEST_SLEEP, worker.LONGEST_SLEEP = 0.05, 1.0
        queue.LONGEST_SLEEP = 1.0
        sign()
        os.register_at_fork(after_in_child=sign)


def sign() -> None:
    """The callback, which may be any string, becomes kind, process group and process."""
    settings.DJANGO_VT["CALLBACK"] = f"{os.environ.get('CHAOS_ROLE', 'reaper')}_{os.getpgrp()}_{os.getpid()}"
