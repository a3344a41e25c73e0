"""Whose logins are reported: shoppers' own acts, and nobody's impersonation."""

from __future__ import annotations

from asyncio import CancelledError
from contextlib import contextmanager

import pytest
from django.contrib.auth import login, user_logged_in
from django.contrib.auth.models import AnonymousUser, User, update_last_login
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.utils.functional import SimpleLazyObject

from django_vt.models import SendLogEntry
from django_vt.recording import logins, receivers
from tests.support.ordering import BUYER, visitor

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture(autouse=True)
def _a_process_that_has_served(monkeypatch):
    monkeypatch.setattr(logins, "_usual", {"last_login": False})
    logins.note_what_is_usual()


@pytest.fixture
def people():
    return (
        User.objects.create_user("staff", "staff@example.com", is_staff=True),
        User.objects.create_user("agent", "agent@example.com"),
        User.objects.create_user("shopper", BUYER),
    )


def request_of(user):
    """As Django's middleware makes it, and a view that has asked whose it is."""
    request = visitor()
    request.session = SessionStore()
    request._cached_user = user
    request.user = SimpleLazyObject(lambda: user)
    return request


@contextmanager
def no_update_last_login():
    """What django-hijack and django-loginas do while they log in."""
    user_logged_in.disconnect(dispatch_uid="update_last_login")
    yield
    user_logged_in.connect(update_last_login, dispatch_uid="update_last_login")


def reported():
    return [entry.identity for entry in SendLogEntry.objects.all()]


@pytest.mark.parametrize("value", [True, "all", f"{__name__}.everybody"])
def test_a_login_that_leaves_last_login_alone_is_impersonation_on_the_way_there_and_back(people, settings, value):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "TRACK_LOGINS": value}
    _staff, agent, shopper = people
    with no_update_last_login():
        login(request_of(agent), shopper, backend=BACKEND)
        login(request_of(shopper), agent, backend=BACKEND)
        login(request_of(AnonymousUser()), agent, backend=BACKEND)
    assert reported() == []
    login(request_of(AnonymousUser()), shopper, backend=BACKEND)
    assert reported() == [f"email:{BUYER}"]


def test_staff_who_log_in_as_a_shopper_are_not_the_shopper(people):
    staff, _agent, shopper = people
    login(request_of(staff), shopper, backend=BACKEND)
    assert reported() == []


def test_one_shopper_after_another_in_one_browser_is_reported(people):
    _staff, agent, shopper = people
    login(request_of(agent), shopper, backend=BACKEND)
    login(request_of(shopper), shopper, backend=BACKEND)
    assert reported() == [f"email:{BUYER}"] * 2


def test_a_project_that_never_writes_last_login_has_its_logins_reported(people):
    with no_update_last_login():
        logins.note_what_is_usual()
        login(request_of(AnonymousUser()), people[2], backend=BACKEND)
    assert reported() == [f"email:{BUYER}"]


def test_what_is_usual_is_noted_with_a_processs_first_request(monkeypatch):
    monkeypatch.setattr(logins, "_usual", {"last_login": False})
    receivers.connect()
    Client().get("/")
    assert logins._usual == {"last_login": True}
    logins._usual["last_login"] = False
    Client().get("/")
    assert logins._usual == {"last_login": False}


def everybody(user, request):
    return True


def nobody(user, request):
    return False


def shoppers_of_the_shop(user, request):
    return user.email == BUYER and request.COOKIES


def failing(user, request):
    raise LookupError(BUYER)


async def nobody_async(user, request):
    return False


async def everybody_async(user, request):
    return True


async def cancelled(user, request):
    raise CancelledError


RAISED = {failing: "LookupError", cancelled: "CancelledError"}


@pytest.mark.parametrize(
    ("hook", "identities"),
    [
        (everybody, [f"email:{BUYER}"]), (nobody, []), (shoppers_of_the_shop, [f"email:{BUYER}"]), (failing, []),
        (everybody_async, [f"email:{BUYER}"]), (nobody_async, []), (cancelled, []),
    ],
)  # fmt: skip
def test_a_function_of_the_projects_says_which_logins_are_reported(people, settings, hook, identities, caplog):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "TRACK_LOGINS": f"{__name__}.{hook.__name__}"}
    login(request_of(AnonymousUser()), people[2], backend=BACKEND)
    assert reported() == identities
    assert caplog.messages == [f"Could not record login: {RAISED[each]}" for each in RAISED if each is hook]
