"""The buyer's identity, kept for a payment callback that carries no cookies."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class RememberedIdentity(models.Model):
    """The identity of the shopper who placed an order, under the hash of the orderId, until it is used.

    `account_id` is the account of the shop that the order was placed in; empty if unknown. Two shops may use the same
    order number.
    """

    key: models.CharField[str, str] = models.CharField(_("key"), max_length=64)
    account_id: models.CharField[str, str] = models.CharField(_("account"), max_length=64, blank=True, default="")
    identity: models.TextField[str, str] = models.TextField(_("identity"))
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(_("remembered at"))

    class Meta:
        verbose_name = _("remembered identity")
        verbose_name_plural = _("remembered identities")
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=["key", "account_id"], name="django_vt_remembered_key"),)
        indexes = (models.Index(fields=["created_at"], name="django_vt_remembered_at"),)

    def __str__(self) -> str:
        return gettext("remembered at %(time)s") % {"time": f"{self.created_at:%Y-%m-%d %H:%M:%S}"}
