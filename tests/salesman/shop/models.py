from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models


class Tea(models.Model):
    """A product, as Salesman wants one."""

    name = models.CharField(max_length=100)
    code = models.CharField(max_length=40)
    price = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return self.name

    def get_price(self, request: Any) -> Decimal:
        return self.price
