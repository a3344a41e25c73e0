from __future__ import annotations

from django.db import models
from payments.models import BasePayment


class Order(models.Model):
    number = models.CharField(max_length=40, unique=True)
    total = models.DecimalField(max_digits=12, decimal_places=2)
    email = models.EmailField()

    def __str__(self) -> str:
        return f"order {self.number}"


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    sku = models.CharField(max_length=40)
    quantity = models.PositiveIntegerField()

    def __str__(self) -> str:
        return self.sku


class Payment(BasePayment):
    """As django-payments wants one."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE)

    def get_failure_url(self) -> str:
        return "/failure/"

    def get_success_url(self) -> str:
        return "/thank-you/"
