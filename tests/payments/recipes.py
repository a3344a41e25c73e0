"""The modules that the page shows, as a shop's own: `shop.models` and `shop.orders` are what the tests have of them."""

from __future__ import annotations

import sys
from functools import cache
from types import ModuleType
from typing import Any

from tests.docs.pages import DOCS, code

PAGE = DOCS / "how-to" / "payment-callbacks.md"


@cache
def recipe(name: str) -> Any:
    """The module of the page, imported once as a shop's `ready()` imports it."""
    from tests.payments.shop import models, orders

    sys.modules.update({"shop": ModuleType("shop"), "shop.models": models, "shop.orders": orders})
    [shown] = [part for part in code(PAGE) if part.module == name]
    module = sys.modules[name] = ModuleType(name)
    exec(compile("\n" * (shown.line - 1) + shown.text, str(shown.page), "exec"), vars(module))
    return module
