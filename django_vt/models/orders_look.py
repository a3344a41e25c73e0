"""The result of the last look for unreported orders, for the admin's page."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class OrdersLook(models.Model):
    """One row for the last look at all accounts (`account_id` is empty), and one for each account looked at alone.

    `found` orders had no entry; `reported` of these were recorded by the look.
    """

    account_id: models.CharField[str, str] = models.CharField(_("account"), max_length=64, blank=True, default="")
    at: models.DateTimeField[datetime, datetime] = models.DateTimeField(_("looked at"))
    since: models.DateTimeField[datetime, datetime] = models.DateTimeField(_("orders since"))
    found: models.PositiveIntegerField[int, int] = models.PositiveIntegerField(_("unreported orders"))
    reported: models.PositiveIntegerField[int, int] = models.PositiveIntegerField(_("reported now"))

    objects = models.Manager["OrdersLook"]()

    class Meta:
        verbose_name = _("look for unreported orders")
        verbose_name_plural = _("looks for unreported orders")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=["account_id"], name="django_vt_orders_look"),)

    def __str__(self) -> str:
        return gettext("%(found)d unreported orders") % {"found": self.found}

    @property
    def left(self) -> int:
        """How many orders were still unreported when the look ended."""
        return self.found - self.reported
