"""An order of which something cannot be used: the rest of it is kept, so that it can be sent once staff say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django_vt.events import Confirmation
from django_vt.exceptions import InvalidField


def in_hand(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a `Confirmation`, with the items in a list: a generator could be read only once."""
    items = given.get("items")
    # Not asked of a list: whether it is a Mapping takes a while to find out.
    if isinstance(items, (list, tuple, str, bytes, Mapping)) or not isinstance(items, Iterable):
        return dict(given)
    return {**given, "items": list(items)}


def without_what_is_wrong(given: Mapping[str, Any]) -> Confirmation:
    """The order without the items, the address or the extra data that cannot be used.

    Raises `InvalidField` where its id, its total or all of its items cannot be: then nothing can be told of it.
    """
    # In a list by now, or tuple: whatever else is given for them is refused before the address and the extra data.
    rest = {**given, "items": [item for item in given["items"] if _is_usable(items=[item])]}
    for name in ("email", "extra"):
        if name in rest and not _is_usable(**{name: rest[name]}):
            del rest[name]
    return Confirmation(**rest)


def _is_usable(**argument: Any) -> bool:
    try:
        Confirmation(**{"order_id": "0", "total": 0, "items": [], **argument})
    except InvalidField:
        return False
    return True
