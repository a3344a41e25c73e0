"""Logins through django-allauth, the real one, and `Client.force_login`: each arrives exactly once."""

from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.test import Client

from django_vt.models import SendLogEntry
from tests.support.ordering import PIXEL_COOKIE

pytestmark = [pytest.mark.django_db, pytest.mark.allauth]

ADDRESS = "shopper@example.com"
PASSWORD = "two-steeps-please"
LOGIN = {"type": "login", "email": ADDRESS, "source": "website"}


@pytest.fixture
def shopper() -> User:
    user = User.objects.create_user("shopper", ADDRESS, PASSWORD)
    EmailAddress.objects.create(user=user, email=ADDRESS, primary=True, verified=True)
    return user


def logins() -> list[dict[str, object]]:
    return [entry.event for entry in SendLogEntry.objects.filter(event_type="login")]


def post_json(client: Client, path: str, **data: str) -> int:
    return client.post(path, data, content_type="application/json").status_code


def test_by_password(client, shopper):
    assert client.post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD}).status_code == 302
    assert get_user(client) == shopper
    assert logins() == [LOGIN]


def test_a_wrong_password_is_no_login(client, shopper):
    assert client.post("/accounts/login/", {"login": ADDRESS, "password": "one steep"}).status_code == 200
    assert logins() == []


def test_by_signing_up(client):
    form = {"email": ADDRESS, "password1": PASSWORD, "password2": PASSWORD}
    assert client.post("/accounts/signup/", form).status_code == 302
    assert get_user(client).email == ADDRESS
    assert logins() == [LOGIN]


def social_login(client: Client) -> None:
    begun = client.post("/accounts/dummy/login/")
    done = client.post(begun.headers["Location"], {"id": "123", "email": ADDRESS, "email_verified": "on"})
    assert (begun.status_code, done.status_code) == (302, 302)
    assert get_user(client).email == ADDRESS


def test_by_a_social_provider_for_the_first_time_and_again(client):
    social_login(client)
    assert logins() == [LOGIN]
    social_login(Client())
    assert logins() == [LOGIN, LOGIN]


@pytest.mark.parametrize("kind", ["browser", "app"])
def test_headless_by_password(client, shopper, kind):
    assert post_json(client, f"/_allauth/{kind}/v1/auth/login", email=ADDRESS, password=PASSWORD) == 200
    assert logins() == [LOGIN]


@pytest.mark.parametrize("kind", ["browser", "app"])
def test_headless_by_signing_up(client, kind):
    assert post_json(client, f"/_allauth/{kind}/v1/auth/signup", email=ADDRESS, password=PASSWORD) == 200
    assert logins() == [LOGIN]


def test_headless_with_a_wrong_password_is_no_login(client, shopper):
    assert post_json(client, "/_allauth/app/v1/auth/login", email=ADDRESS, password="one steep") == 400
    assert logins() == []


def test_asking_for_the_password_once_more_is_no_second_login(client, shopper):
    client.post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD})
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    assert logins() == [LOGIN]


def test_force_login_whose_request_no_middleware_has_seen(client, shopper):
    client.force_login(shopper, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert logins() == [LOGIN]


def test_a_login_goes_by_its_address_also_where_the_pixels_cookie_is_there(client, shopper):
    client.cookies["_vt_user"] = PIXEL_COOKIE
    client.post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD})
    assert logins() == [LOGIN]


def test_staffs_logins_are_none_of_the_vendors(client, shopper):
    User.objects.update(is_staff=True)
    client.post("/accounts/login/", {"login": ADDRESS, "password": PASSWORD})
    assert get_user(client) == shopper
    assert logins() == []
