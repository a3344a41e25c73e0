"""`manage.py hold_sending`: record and don't send, everywhere, for as long as an incident lasts."""

from __future__ import annotations

from typing import Any

from django_vt.management.base import SendLogCommand
from django_vt.models import Endpoint


class Command(SendLogCommand):
    """Sets the hold that all processes look at."""

    help = (
        "Holds sending, in all processes and on all machines: events go on being recorded and wait until "
        "`release_sending`. A request that is under way is finished."
    )
    requires_system_checks = ()  # in an incident it must work, whatever else is wrong

    def work(self, using: str, options: dict[str, Any]) -> None:
        endpoints = Endpoint.objects.using(using)
        if endpoints.held():
            self.say("Sending was held already: events are recorded and wait.")
            return
        endpoints.hold()
        self.say(
            "Sending is held from the next claim on: events are recorded and wait. "
            "`manage.py release_sending` ends that."
        )
