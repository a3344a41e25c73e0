"""The tenants: a shop each, in a schema of its own."""

from __future__ import annotations

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Shop(TenantMixin):
    name = models.CharField(max_length=40)

    def __str__(self) -> str:
        return self.name


class Domain(DomainMixin):
    pass
