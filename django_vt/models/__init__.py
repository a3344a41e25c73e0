"""The tables: the send log and its failed attempts, the endpoints' state, remembered identities, the last look."""

from __future__ import annotations

from django_vt.models.endpoint import Endpoint
from django_vt.models.orders_look import OrdersLook
from django_vt.models.remembered_identity import RememberedIdentity
from django_vt.models.send_log import SendAttempt, SendLogEntry, Status

__all__ = ["Endpoint", "OrdersLook", "RememberedIdentity", "SendAttempt", "SendLogEntry", "Status"]
