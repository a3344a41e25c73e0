"""The signals of this app: one to send, two to receive.

`order_placed` is the shop's to send (or to await, as `asend`), inside the order's transaction. It must be given
`order_id` (text, int or UUID), `total` (Decimal, int or text, in the shop's currency; never a float) and `items`
(`Item`s, pairs or dicts with `id` and `quantity`). Where there are any it takes the buyer's `email` and `request`, an
`identity`, `extra` (a dict that goes into the vendor's `generic`), and `using`, the alias of the order's database. What
it cannot use is recorded as `skipped`, with the reason. It raises only what `django_vt.track` raises.

`event_sent` and `event_failed` are sent by the delivery, after the outcome is stored, with `entry`, a `SendLogEntry`:
when the vendor has answered 2xx, and when an entry is not tried any more. A receiver that raises is logged by Django
and changes nothing.
"""

from __future__ import annotations

from django.dispatch import Signal

from django_vt.discretion import discreetly


class _OrderPlaced(Signal):
    """What the shop sends with it stands in no report of an error: Django's own function has it all in one variable."""

    send = discreetly(Signal.send)
    asend = discreetly(Signal.asend)


order_placed: Signal = _OrderPlaced()
event_sent: Signal = Signal()
event_failed: Signal = Signal()
