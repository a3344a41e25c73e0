"""Identities kept between the checkout and a payment callback that carries none of the shopper's cookies."""

from __future__ import annotations

import hashlib
import json

from django_vt.conf import settings
from django_vt.identity import NOBODY, Identity
from django_vt.models import RememberedIdentity


class Memory:
    """What was remembered for an order, recalled once."""

    def __init__(self, reference: str, using: str) -> None:
        self._rows = RememberedIdentity.objects.using(using).filter(key=key_of(reference))
        self._recalled = False

    def recall(self) -> Identity:
        """The identity of the shopper who placed the order, where it was remembered."""
        for row in self._rows[:1]:
            self._recalled = True
            return Identity.from_dict(json.loads(row.identity))
        return NOBODY

    def forget(self) -> None:
        """It was used."""
        if self._recalled:
            self._rows.delete()


def key_of(reference: str) -> str:
    """The key of an order: a hash, so that the row by itself does not tell which order it belongs to."""
    return hashlib.sha256("\0".join((settings.account_id, reference)).encode()).hexdigest()
