"""Staff who log in as a customer, with django-hijack and with django-loginas as they are: no login is reported."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.test import Client

from django_vt.models import SendLogEntry

pytestmark = [pytest.mark.django_db, pytest.mark.impersonation]

WAYS = {
    "hijack": (lambda customer: ("/hijack/acquire/", {"user_pk": customer.pk}), "/hijack/release/"),
    "loginas": (lambda customer: (f"/admin/login/user/{customer.pk}/", {}), "/admin/logout/"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("tracked", [True, "all"])
@pytest.mark.parametrize("writes_last_login", [False, True])
def test_neither_there_nor_back_is_a_login(way, tracked, writes_last_login, settings, monkeypatch):
    if way == "loginas":
        monkeypatch.setattr("loginas.settings.UPDATE_LAST_LOGIN", writes_last_login)
    staff = User.objects.create_superuser("staff", "staff@example.com", "secret")
    customer = User.objects.create_user("customer", "customer@example.com", "secret")
    client = Client()
    client.get("/login/")  # a process's first request
    client.force_login(staff)
    SendLogEntry.objects.all().delete()
    settings.DJANGO_VT = {**settings.DJANGO_VT, "TRACK_LOGINS": tracked}
    there, back = WAYS[way]
    path, data = there(customer)
    assert client.post(path, data).status_code == 302
    assert get_user(client) == customer
    assert not SendLogEntry.objects.exists()
    assert client.post(back).status_code == 302
    assert get_user(client) == staff
    came_back_by_a_plain_login = way == "loginas" and writes_last_login and tracked == "all"
    assert SendLogEntry.objects.exists() == came_back_by_a_plain_login
    client.logout()
    assert client.post("/login/", {"username": "customer", "password": "secret"}).status_code == 302
    assert SendLogEntry.objects.filter(identity="email:customer@example.com").count() == 1
