"""Staff of every kind, and a log for them to look at."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from django_vt.admin import filters
from django_vt.events import Confirmation, Item, payload
from django_vt.identity import Identity
from django_vt.models import SendLogEntry
from django_vt.protocol.addresses import hash_of_address
from tests.support.delivering import stored
from tests.support.people import CANARY

VIEW, RESEND, PEOPLE = "view_sendlogentry", "resend_sendlogentry", "view_person"
FORGET = "forget_person"


@pytest.fixture(autouse=True)
def _no_figures_kept() -> Iterator[None]:
    filters.forget()
    yield
    filters.forget()


@pytest.fixture(autouse=True)
def _manual_dispatcher(settings: Any) -> None:
    """Queued entries stay queued: what the dispatcher makes of them is not the admin's."""
    settings.DJANGO_VT = {"ACCOUNT_ID": "acc123", "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}


@pytest.fixture
def log_in(db: None) -> Callable[..., Client]:
    """A browser in which somebody is logged in: staff with the permissions given."""

    def log_in(*codenames: str, is_staff: bool = True) -> Client:
        user = User.objects.create_user("-".join(["anna", *codenames]), password="x", is_staff=is_staff)
        permissions = Permission.objects.filter(content_type__app_label="django_vt", codename__in=codenames)
        assert len(permissions) == len(codenames)
        user.user_permissions.set(permissions)
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def viewer(log_in: Callable[..., Client]) -> Client:
    """Staff who may see the log, but not the people."""
    return log_in(VIEW)


@pytest.fixture
def confidant(log_in: Callable[..., Client]) -> Client:
    """Staff who may see the log and the people."""
    return log_in(VIEW, PEOPLE)


@pytest.fixture
def operator(log_in: Callable[..., Client]) -> Client:
    """Staff who may see the log, send again and hold."""
    return log_in(VIEW, RESEND)


@pytest.fixture
def record(db: None) -> Callable[..., SendLogEntry]:
    """An entry of the log; unless told otherwise a pending confirmation, recorded now, of a buyer with an address."""

    def record(reference: str = "100023", *, email: str = CANARY, **columns: Any) -> SendLogEntry:
        now = timezone.now()
        status = columns.get("status", "pending")
        defaults = {
            "account_id": "acc123",
            "event_type": "confirmation",
            "payload": payload(
                Confirmation(reference or "none", "234.12", [Item("A-1", 2)], email=email), Identity(email=email)
            ),
            "identity": Identity(email=email).stored_form,
            "email_hash": hash_of_address(email),
            "reference": reference,
            "created_at": now,
            "due_at": now if status == "pending" else None,
            "sent_at": now if status == "sent" else None,
            "response_status": 200 if status == "sent" else None,
        }
        return SendLogEntry.objects.create(**stored({**defaults, **columns}))

    return record


def ago(**span: float) -> datetime.datetime:
    """So long before now."""
    return timezone.now() - datetime.timedelta(**span)
