"""From the row to the vendor: claim what is due, pack it into requests, send them, settle the answers.

Input: the send log of one database at a time. Output: requests, sent through the backend that BACKEND names, and the
outcome of each, stored in the send log. Only `deliver_due` and `DeliveryReport` are public.
"""

from __future__ import annotations

from django_vt.delivery.deliver import deliver_due
from django_vt.delivery.run import DeliveryReport

__all__ = ["DeliveryReport", "deliver_due"]
