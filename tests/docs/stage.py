"""The shop in which the code of the pages runs: what a reader has, and a page need not show."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from types import ModuleType, SimpleNamespace
from typing import Any

from tests.projects.shop.models import Order
from tests.support.ordering import visitor


class Lines(list[SimpleNamespace]):
    """As the lines of an order are to be had from Django."""

    def all(self) -> Lines:
        return self


def create_order(request: Any = None, **changes: Any) -> SimpleNamespace:
    """The shop's own code: an order of two teapots."""
    line = SimpleNamespace(sku="123123-M", quantity=2)
    order = {"number": "100023", "total": Decimal("234.12"), "email": "buyer@example.com", "lines": Lines([line])}
    return SimpleNamespace(**{**order, **changes})


def names() -> dict[str, Any]:
    """What the code finds in its namespace."""
    return {"request": visitor(), "order": create_order(), "create_order": create_order, "Order": Order}


@contextmanager
def shop_package() -> Iterator[dict[str, ModuleType]]:
    """A package `shop`, into which the code puts modules; gone afterwards."""
    package = ModuleType("shop")
    package.__path__ = []
    models = ModuleType("shop.models")
    models.Order = Order  # type: ignore[attr-defined]
    before = set(sys.modules)
    sys.modules.update({"shop": package, "shop.models": models})
    try:
        yield sys.modules
    finally:
        for name in {name for name in sys.modules if name.partition(".")[0] == "shop"} - before:
            del sys.modules[name]
