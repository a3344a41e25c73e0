"""`manage.py export_shopper`: print all data held about a shopper."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from django_vt.management import shopper_arguments
from django_vt.management.base import SendLogCommand
from django_vt.operations.exporting import export_shopper
from django_vt.protocol.payloads import readable


class Command(SendLogCommand):
    """Only reads."""

    help = (
        "Prints as JSON all that is held of a shopper: the entries that `forget_shopper` would empty, with their "
        "events and failed attempts, and their remembered identities. These are personal data: keep the output as such."
    )
    requires_system_checks = ()  # a shopper's right must not wait until the settings are corrected

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        shopper_arguments.add_to(parser)

    def work(self, using: str, options: dict[str, Any]) -> None:
        with shopper_arguments.as_arguments():
            held = export_shopper(**shopper_arguments.read(options), using=using)
        self.say(readable(held))
