"""What the last look for unreported orders has found: for the admin's page."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class OrdersLook(models.Model):
    """One row for all accounts (`account_id` is empty), and one for each that was looked at alone.

    `found` were without an entry, of which `reported` were recorded then and there.
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
        """How many were still unreported when it ended."""
        return self.found - self.reported
