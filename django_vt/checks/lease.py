"""Whether a worker's claim lasts as long as its work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.checks import CheckMessage, Error

from django_vt.checks.values import is_well_formed
from django_vt.conf import BLOCK, settings


def check_lease(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """LEASE is at least twice a request's deadline; else two workers would send the same entries."""
    if not (is_well_formed(block, "LEASE") and is_well_formed(block, "TIMEOUT")):
        return []
    shortest = 2 * settings.deadline
    if shortest <= settings.LEASE:
        return []
    return [
        Error(
            f'{BLOCK}["LEASE"] ({settings.LEASE} s) is shorter than twice the deadline of a request '
            f'({settings.deadline} s, the sum of {BLOCK}["TIMEOUT"]).',
            hint=f"Set LEASE to {shortest} or more, or shorten TIMEOUT: a claim that runs out while its request is "
            "under way lets another worker send the same events.",
            id="django_vt.E008",
        )
    ]
