"""What a delivery did, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class DeliveryReport:
    """What a delivery did; reports can be added up.

    `requests` is how many were made. Of the entries, `sent` were accepted, `retried` are to be tried again, `failed`
    are not tried any more, `skipped` were older than MAX_AGE.
    """

    requests: int = 0
    sent: int = 0
    retried: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: DeliveryReport) -> DeliveryReport:
        return DeliveryReport(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))
