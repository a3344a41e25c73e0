from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from django_vt.conf import settings as vt_settings
from django_vt.models import Endpoint, SendLogEntry
from django_vt.models.functions import milliseconds
from tests.support.delivering import ACCOUNT
from tests.support.forgettable import life, nothing_is_sent_by_itself  # noqa: F401 - fixtures


def run(command: str, *arguments: str, **options: object) -> str:
    """What a command prints, called as from a shell."""
    printed = StringIO()
    call_command(command, *arguments, stdout=printed, stderr=printed, no_color=True, **options)
    return printed.getvalue()


def fails(command: str, *arguments: str, **options: object) -> CommandError:
    """The error with which a command ends; `error.printed` is what it printed before."""
    printed = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(command, *arguments, stdout=printed, stderr=printed, no_color=True, **options)
    caught.value.printed = printed.getvalue()
    return caught.value


def hold() -> None:
    Endpoint.objects.hold()


def pause(seconds: float = 300, account_id: str = ACCOUNT, **columns: object) -> Endpoint:
    """Sending of wishlists for an account fails since a while."""
    endpoint = Endpoint.objects.row_of(account_id, "wishlist", str(columns.pop("address", vt_settings.ENDPOINT)))
    state = {"consecutive_failures": 3, "paused_until": ms(seconds=seconds), "reason": "answered: 503", **columns}
    Endpoint.objects.filter(pk=endpoint.pk).update(**state)
    endpoint.refresh_from_db()
    return endpoint


def ms(**from_now: float) -> int:
    """A moment so far from now, as the queue's columns hold it."""
    return milliseconds(timezone.now() + timedelta(**from_now))


def failed(**columns: object) -> dict[str, object]:
    """The columns of an entry that has failed."""
    return {"status": "failed", "due_at": None, "attempts": 8, "reason": "answered: 500", **columns}


def status_of(entry: SendLogEntry) -> str:
    return SendLogEntry.objects.get(pk=entry.pk).status
