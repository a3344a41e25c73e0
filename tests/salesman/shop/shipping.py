from __future__ import annotations

from decimal import Decimal
from typing import Any

from salesman.basket.modifiers import BasketModifier


class Shipping(BasketModifier):
    """Five for each order: its total is more than its items cost."""

    identifier = "shipping"

    def process_basket(self, basket: Any, request: Any) -> None:
        self.add_extra_row(basket, request, label="Shipping", amount=Decimal(5))
