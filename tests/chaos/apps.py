from __future__ import annotations

from django.apps import AppConfig


class ChaosConfig(AppConfig):
    """Scales the pauses and sleeps that are no settings, so that hours of misbehaviour fit into a minute."""

    name = "tests.chaos"

    def ready(self) -> None:
        """0.05 s for the first pause instead of 5, 1 s for the longest instead of 15 minutes."""
        from django_vt import claims, worker
        from django_vt.models import endpoint

        endpoint.FIRST_PAUSE, endpoint.LONGEST_PAUSE = 0.05, 1.0
        claims.SHORTEST_SLEEP, claims.LONGEST_SLEEP = 0.05, 1.0
        worker.SHORTEST_SLEEP, worker.LONGEST_SLEEP = 0.05, 1.0
