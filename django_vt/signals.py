"""The signals of this app: one to send, two to receive.

The shop sends `order_placed` (or awaits `asend`) inside the order's transaction. It requires `order_id` (text, int or
UUID), `total` (Decimal, int, text, or a float by its shortest `repr`, in the shop's currency) and `items` (`Item`s,
pairs or dicts with `id` and `quantity`). It optionally takes the buyer's `email` and `request`, an `identity`, `extra`
(a dict that is added to the vendor's `generic`), and `using`, the alias of the order's database. An order that it
cannot use is recorded as `skipped`, with the reason. It raises only what `django_vt.track` raises.

The delivery sends `event_sent` when the vendor has answered 2xx, and `event_failed` when an entry is not tried any
more. Both come after the outcome is stored, with `entry`, a `SendLogEntry`. If a receiver raises, Django logs it, and
nothing else changes.
"""

from __future__ import annotations

from django.dispatch import Signal

from django_vt.discretion import discreetly


class _OrderPlaced(Signal):
    """Keeps the signal's arguments out of error reports: Django's `send` has them all in one local variable."""

    send = discreetly(Signal.send)
    asend = discreetly(Signal.asend)


order_placed: Signal = _OrderPlaced()
event_sent: Signal = Signal()
event_failed: Signal = Signal()
