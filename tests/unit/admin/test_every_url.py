"""No URL of the admin site, whatever views come to it, shows or changes anything for those who may not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils.http import urlencode

from django_vt.models import SendAttempt, SendLogEntry
from tests.support.delivering import endpoint_row
from tests.support.people import CANARY
from tests.unit.admin.conftest import FORGET, PEOPLE, RESEND, VIEW

pytestmark = [pytest.mark.any_database, pytest.mark.newest, pytest.mark.unmeasured]

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^()]*\)")
METHODS = ("get", "head", "options", "post", "put", "patch", "delete")
WRITING = {"put", "patch", "delete"}
TEXT = "application/x-www-form-urlencoded"
STRANGERS: dict[str, tuple[tuple[str, ...], bool] | None] = {
    "nobody": None,
    "shopper": ((), False),
    "shopper with every permission": ((VIEW, RESEND, PEOPLE, FORGET), False),
    "staff without permissions": ((), True),
    "staff who may see people, forget them and resend, but not the log": ((PEOPLE, FORGET, RESEND), True),
    "staff who may see attempts": (("view_sendattempt", "view_logentry"), True),
    "staff who have left": ((VIEW, RESEND, PEOPLE, FORGET), True),
}
LOOKERS = {"sees the log": (VIEW,), "sees the log and the people": (VIEW, PEOPLE)}


def routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    """All there are below some patterns, as one text each, in the resolver's own notation."""
    for pattern in patterns:
        route = before + str(pattern.pattern).replace("^", "").replace("$", "")
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def addresses(entry: SendLogEntry) -> list[str]:
    """The paths of all of the admin's views but other apps', with this entry for what they take."""
    values = {
        "object_id": entry.pk,
        "content_type_id": ContentType.objects.get_for_model(SendLogEntry).pk,
        "app_label": "django_vt",
        "url": f"django_vt/sendlogentry/{entry.pk}",
    }
    found = [route for route in routes(get_resolver().url_patterns) if route.startswith("admin/")]
    return ["/" + ARGUMENT.sub(lambda a: str(values[a[1] or a[2]]), route) for route in found if "/auth/" not in route]


def forms(entry: SendLogEntry) -> list[dict[str, str]]:
    """All that any of the views acts on, the entries named once by number and once by reason."""
    pk = str(entry.pk)
    form = {"action": "send_again", "_selected_action": pk, "index": "0", "post": "yes", "reference": "other"}
    form |= {"text": CANARY, "held": "yes", "confirmed": "yes", "_save": "1"}
    form |= {"way": "address", "act": "forget", "typed": CANARY}
    return [{**form, "ids": pk}, {**form, "reason": entry.reason, "recorded": "24h"}]


def rows() -> list[list[tuple[Any, ...]]]:
    """Everything that the app has in the database, and the admin's history."""
    found = []
    with connection.cursor() as cursor:  # by hand: it is asked for after each of some thousand requests
        for model in (*vt_models(), LogEntry):
            cursor.execute(f"SELECT * FROM {model._meta.db_table} ORDER BY {model._meta.pk.column}")
            found.append(cursor.fetchall())
    return found


def vt_models() -> list[Any]:
    return list(apps.get_app_config("django_vt").get_models())


@pytest.fixture
def failed(record: Callable[..., SendLogEntry]) -> SendLogEntry:
    endpoint_row()
    entry = record(CANARY, status="failed", reason="answered: 400", response_status=400, attempts=1)
    SendAttempt.objects.create(entry=entry, at=entry.created_at, response_status=400, reason=entry.reason)
    return entry


def person(codenames: tuple[str, ...], *, is_staff: bool, is_active: bool = True) -> User:
    user = User.objects.create_user("anna", password="x", is_staff=is_staff, is_active=is_active)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def answers(user: User | None, method: str, entry: SendLogEntry) -> Iterator[tuple[str, HttpResponse]]:
    """What each address answers, with nothing changed in the database."""
    client, before = Client(), rows()
    for address in addresses(entry):
        # No view looks at the form of another method than POST; that this stays so, one of them says.
        for form in forms(entry) if method == "post" else forms(entry)[:1] if method in WRITING else [{}]:
            if user is not None and not is_logged_in(client):  # one of the addresses logs out
                client.force_login(user)
                before = rows()  # a shopper's login is an entry too
            response = request(client, method, address, form)
            assert rows() == before, f"{method} {address} has changed something"
            yield address, response


def is_logged_in(client: Client) -> bool:
    return settings.SESSION_COOKIE_NAME in client.cookies and client.cookies[settings.SESSION_COOKIE_NAME].value != ""


def request(client: Client, method: str, address: str, form: dict[str, str]) -> HttpResponse:
    if method in WRITING:
        return client.generic(method.upper(), address, urlencode(form), TEXT)
    return getattr(client, method)(address, form)


def refuses(response: HttpResponse, address: str, *, is_staff: bool) -> bool:
    """Staff get 403, or 404 for an app of which they may see nothing, others the login. Not even a search answers."""
    if response.status_code == 403:
        return True
    if not is_staff:
        return response.url.startswith(reverse("admin:login"))
    # The redirects are to the same page's better address, which they are refused too.
    elsewhere = {f"{address}/", f"{address}change/"}
    return response.status_code == 404 or response.headers.get("Location") in elsewhere


def test_the_resolver_s_notation_is_understood(failed):
    found = addresses(failed)
    assert {f"/admin/django_vt/sendlogentry/{view}/" for view in ("search", "resend", "hold", "add")} <= set(found)
    assert f"/admin/django_vt/sendlogentry/{failed.pk}/change/" in found
    assert not [address for address in found if set(address) & set("<>()?^$|*")]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("who", STRANGERS)
def test_strangers_see_and_change_nothing(who, method, failed):
    stranger = STRANGERS[who]
    is_active = who != "staff who have left"
    user = None if stranger is None else person(stranger[0], is_staff=stranger[1], is_active=is_active)
    is_staff = bool(user and user.is_staff and is_active)
    for address, response in answers(user, method, failed):
        assert "canary" not in response.content.decode(), address
        assert "canary" not in str(response.headers), address
        if "/django_vt/" in address:
            assert refuses(response, address, is_staff=is_staff), f"{address}: {response}"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("who", LOOKERS)
def test_who_may_look_changes_nothing(who, method, failed):
    for address, response in answers(person(LOOKERS[who], is_staff=True), method, failed):
        assert PEOPLE in LOOKERS[who] or "canary" not in response.content.decode(), address
        assert "canary" not in str(response.headers), address


@pytest.mark.parametrize("method", sorted({*METHODS} - {"post"}))
def test_who_may_do_everything_changes_nothing_but_by_a_post(method, failed):
    boss = User.objects.create_superuser("boss")
    for address, response in answers(boss, method, failed):
        assert response.status_code < 500, address
        assert "canary" not in str(response.headers), address


def test_who_may_act_would_have_changed_something(failed):
    """So the forms above are such as the views act on."""
    with pytest.raises(AssertionError, match="post /admin/django_vt/sendlogentry/resend/ has changed something"):
        list(answers(person((VIEW, RESEND), is_staff=True), "post", failed))
