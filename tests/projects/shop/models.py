from __future__ import annotations

from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=40, unique=True)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    email = models.EmailField(blank=True)

    def __str__(self) -> str:
        return f"order {self.number}"
