"""Failures that somebody has not seen yet: a line on the admin's first page, with a link to them."""

from __future__ import annotations

import logging
from datetime import timedelta
from weakref import WeakSet

from django.contrib import messages
from django.db import DatabaseError, transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from django_vt.admin.changelist import ANCHOR
from django_vt.models import Status, functions
from django_vt.operations.figures import NEWEST_FAILED, failed_since

# When somebody last looked at the list, in their session: seconds since 1970 UTC.
LOOKED_AT = "django_vt_looked_at"
NEVER_LOOKED = timedelta(days=1)  # of that last time what has failed is told where it is not known when they looked
WORTH_STORING = 60  # seconds: the list is looked at often
logger = logging.getLogger(__name__)
_told: WeakSet[HttpRequest] = WeakSet()


def look(request: HttpRequest) -> None:
    """They see the list now."""
    seconds = int(timezone.now().timestamp())
    if seconds - _looked_at(request) >= WORTH_STORING:
        request.session[LOOKED_AT] = seconds


def tell(request: HttpRequest, site: str, using: str) -> None:
    """How many have failed since they last looked, where that is the first page of the admin site."""
    where = request.resolver_match
    # That page asks twice, for the list of models and for the one beside it.
    if request.method != "GET" or where is None or where.view_name != f"{site}:index" or request in _told:
        return
    _told.add(request)
    looked_at = _looked_at(request)
    since = functions.moment(looked_at * 1000) if looked_at else timezone.now() - NEVER_LOOKED
    try:
        with transaction.atomic(using=using):
            count = failed_since(using, since)
    except DatabaseError as error:  # such as a missing table: the page is of all apps, and must open
        logger.warning("What has failed lately could not be counted: %s", type(error).__name__)
        return
    if count:
        listed = reverse(f"{site}:django_vt_sendlogentry_changelist")
        link = f"{listed}?status={Status.FAILED}{ANCHOR}"
        line = format_html('{} <a href="{}">{}</a>', _words(count, known=bool(looked_at)), link, _("See them"))
        messages.warning(request, line)


def _words(count: int, *, known: bool) -> str:
    shown = f"{NEWEST_FAILED}+" if count == NEWEST_FAILED else count
    if known:
        words = ngettext(
            "Vibetrace: %(count)s event has failed since you last looked.",
            "Vibetrace: %(count)s events have failed since you last looked.",
            count,
        )
    else:
        words = ngettext(
            "Vibetrace: %(count)s event has failed in the last 24 hours.",
            "Vibetrace: %(count)s events have failed in the last 24 hours.",
            count,
        )
    return words % {"count": shown}


def _looked_at(request: HttpRequest) -> int:
    seconds = request.session.get(LOOKED_AT)
    return seconds if isinstance(seconds, int) else 0
