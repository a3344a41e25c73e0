"""Tells Vibetrace what happened on the server of a Django shop.

`track` and `atrack` record an event, `remember_identity` and `aremember_identity` keep whose order it is until its
payment is confirmed. They are loaded on first use, as they need Django's apps to be ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_vt.outbox import atrack, track
    from django_vt.remembering import aremember_identity, remember_identity

__version__ = "0.1.0"
__all__ = ["__version__", "aremember_identity", "atrack", "remember_identity", "track"]


def __getattr__(name: str) -> Any:
    if name in {"track", "atrack"}:
        from django_vt import outbox

        return getattr(outbox, name)
    if name in {"remember_identity", "aremember_identity"}:
        from django_vt import remembering

        return getattr(remembering, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
