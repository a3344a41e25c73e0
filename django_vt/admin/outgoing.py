"""The request that would carry an entry."""

from __future__ import annotations

import copy
from urllib.parse import unquote_plus

from django_vt.conf import settings
from django_vt.models import SendLogEntry
from django_vt.protocol.packing import Packing


def url(entry: SendLogEntry, payload: str) -> str:
    """The address of a request that carries the entry alone, with this payload, readable; empty without a payload."""
    if not payload:
        return ""
    draft = copy.copy(entry)
    draft.payload = payload
    draft.account_id = entry.account_id or settings.ACCOUNT_ID
    packing = Packing(settings.ENDPOINT, settings.CALLBACK, settings.BATCH_SIZE, settings.MAX_URL_LENGTH)
    (request,) = packing.pack([draft])
    return unquote_plus(request.url)
