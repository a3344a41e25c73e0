from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.payments.shop.models import Order


def create_order(request: Any) -> Order:
    """An order of two teapots."""
    order = Order.objects.create(number="100023", total=Decimal("49.90"), email="buyer@example.com")
    order.lines.create(sku="TEAPOT-1", quantity=2)
    return order
