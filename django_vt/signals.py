"""The signals of this app: one to send, two to receive.

`order_placed` is the shop's to send, with the arguments that `django_vt.senders.record_order` lists. `event_sent` and
`event_failed` are sent by the delivery, after the outcome is stored, with `entry`; a receiver that raises is logged
by Django and changes nothing.
"""

from __future__ import annotations

from django.dispatch import Signal

order_placed: Signal = Signal()
event_sent: Signal = Signal()
event_failed: Signal = Signal()
