"""Tells Vibetrace what happened on the server of a Django shop.

`track` and `atrack` record an event. They are loaded on first use, as they need Django's apps to be ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_vt.outbox import atrack, track

__version__ = "0.1.0"
__all__ = ["__version__", "atrack", "track"]


def __getattr__(name: str) -> Any:
    if name in {"track", "atrack"}:
        from django_vt import outbox

        return getattr(outbox, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
