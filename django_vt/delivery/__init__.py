"""From the row to the vendor: claim what is due, pack it into requests, send them, settle the answers.

In comes the send log, a database at a time. Out go requests, through the backend that BACKEND names, and the outcome of
each, into the send log. Nothing but `deliver_due` and `DeliveryReport` is meant for shops.
"""

from __future__ import annotations

from django_vt.delivery.deliver import deliver_due
from django_vt.delivery.run import DeliveryReport

__all__ = ["DeliveryReport", "deliver_due"]
