"""A stand-in for the queryset of a package that is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Chained(list[Any]):
    """Gives what it holds, however it is filtered; `conditions` are all that it was filtered by."""

    def __init__(self, *rows: Any) -> None:
        super().__init__(rows)
        self.conditions: dict[str, Any] = {}

    def filter(self, **conditions: Any) -> Chained:
        self.conditions.update(conditions)
        return self

    def exclude(self, **conditions: Any) -> Chained:
        return self.filter(**conditions)

    def order_by(self, *_names: str) -> Chained:
        return self

    prefetch_related = select_related = order_by

    def iterator(self, _size: int) -> Iterator[Any]:
        return iter(self)
