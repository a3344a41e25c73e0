"""The admin's pages in every state that makes them say something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from django_vt.admin import SendLogEntryAdmin, filters, person
from django_vt.admin.privacy import Viewer
from django_vt.events import Confirmation, Item
from django_vt.models import Endpoint, RememberedIdentity, SendAttempt, SendLogEntry, functions
from django_vt.protocol import reasons
from django_vt.protocol.addresses import hash_of_address
from tests.support.delivering import endpoint_row, stored
from tests.support.people import CANARY, PIXEL, url

Record = Callable[..., SendLogEntry]
ADDRESS = "https://app.vtcdn.net/event"


class Stage:
    """What a scene has at hand: a browser whose user may do everything, and what it can arrange."""

    def __init__(self, client: Client, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client = client
        self.record = record
        self._monkeypatch = monkeypatch

    def get(self, name: str, *args: object, **query: str) -> HttpResponse:
        filters.forget()
        return self.client.get(url(name, *args), query)

    def post(self, name: str, **form: object) -> HttpResponse:
        return self.client.post(url(name), form, follow=True)

    def limit(self, most: int) -> None:
        self._monkeypatch.setattr(functions, "LIMIT", most)

    def searched_at_most(self, most: int) -> None:
        """So many entries may a log have whose texts a page searches."""
        self._monkeypatch.setattr(person, "MOST_SEARCHED", most)

    def mask(self) -> None:
        """From now on the user may not see people."""
        self._monkeypatch.setattr(Viewer, "of", lambda _request: Viewer(sees_people=False))

    def only_look(self) -> None:
        """From now on the user may not send again, nor hold."""
        self._monkeypatch.setattr(SendLogEntryAdmin, "has_resend_permission", lambda _admin, _request: False)

    def switched_off(self) -> override_settings:
        return override_settings(DJANGO_VT={**settings.DJANGO_VT, "ENABLED": False})


def start_pages(stage: Stage) -> Iterator[HttpResponse]:
    yield stage.client.get(reverse("admin:index"))
    yield stage.client.get(reverse("admin:app_list", args=["django_vt"]))
    yield stage.get("changelist")
    stage.only_look()
    yield stage.get("changelist")


def sending_in_every_state(stage: Stage) -> Iterator[HttpResponse]:
    stage.record(due_at=timezone.now() - timedelta(minutes=12))
    endpoint = endpoint_row(event_type="confirmation", reason="answered: 503")
    now = timezone.now()
    for changes in (
        {"last_success_at": now - timedelta(minutes=4)},
        {"consecutive_failures": 3, "paused_until": now + timedelta(minutes=4)},
        {"paused_until": now - timedelta(minutes=4)},
    ):
        Endpoint.objects.filter(pk=endpoint.pk).update(**stored(changes))
        yield stage.get("changelist")
    Endpoint.objects.hold()
    yield stage.get("changelist")
    with stage.switched_off():
        yield stage.get("changelist")


UNUSABLE = ("items", "items[0]", "items[0].id", "order_id", "email", "ACCOUNT_ID", "payload", "extra")


def entries_of_every_kind(stage: Stage) -> Iterator[HttpResponse]:
    now, soon = timezone.now(), timezone.now() + timedelta(seconds=20)
    kinds: list[dict[str, Any]] = [
        {"due_at": soon, "attempts": 2, "response_status": 503, "reason": "answered: 503"},
        {"due_at": soon, "claim": "token"},
        {"due_at": now - timedelta(minutes=12)},
        {"reason": "timed out"},
        {"status": "sent"},
        {"status": "sent", "payload": ""},
        {"status": "sent", "reason": reasons.reason(reasons.KEPT_HERE, "DummyBackend")},
        {"status": "failed", "attempts": 1, "reason": reasons.ANSWERED},
        {"status": "failed", "attempts": 8, "reason": reasons.reason(reasons.ANSWERED, 400)},
        {"status": "skipped", "dedup_key": "key", "reason": reasons.reason(reasons.INVALID, "total")},
        {"status": "skipped", "payload": "", "reason": reasons.reason(reasons.INVALID, "items[0].quantity")},
        {"status": "skipped", "reason": "too old"},
        *({"status": "skipped", "reason": code, "dedup_key": code} for code in reasons.CODES),
        *({"status": "failed", "reason": reasons.reason(reasons.INVALID, field)} for field in UNUSABLE),
        *({"status": "failed", "reason": reasons.reason(reasons.ANSWERED, status)} for status in (401, 404)),
        {"status": "failed", "reason": reasons.reason(reasons.BACKEND_FAILED, "OSError")},
        {"status": "failed", "reason": ""},
    ]
    entries = [stage.record(str(number), **kind) for number, kind in enumerate(kinds)]
    for entry in [*entries, stage.record("", identity="", email_hash="", payload="", status="skipped")]:
        yield stage.get("change", entry.pk)
    yield stage.get("changelist")


def waiting_entries(stage: Stage) -> Iterator[HttpResponse]:
    entry = stage.record()
    endpoint = endpoint_row(event_type="confirmation")
    soon = timezone.now() + timedelta(minutes=4)
    Endpoint.objects.filter(pk=endpoint.pk).update(**stored({"paused_until": soon}))
    yield stage.get("change", entry.pk)
    Endpoint.objects.hold(entry.account_id)
    yield stage.get("change", entry.pk)
    with stage.switched_off():
        yield stage.get("change", entry.pk)


def a_long_life(stage: Stage) -> Iterator[HttpResponse]:
    entry = stage.record(attempts=2, reason="broken connection")
    now = timezone.now()
    SendAttempt.objects.bulk_create(
        SendAttempt(entry=entry, at=now, reason=reasons.reason(reasons.ANSWERED, 503), response_status=503)
        for _attempt in range(60)
    )
    stage.record(reference=entry.reference, identity=f"pixel:{PIXEL}")
    yield stage.get("change", entry.pk)


def filtered_lists(stage: Stage) -> Iterator[HttpResponse]:
    entry = stage.record(status="failed", reason="answered: 400")
    yield stage.get("changelist", status="failed", type="confirmation", recorded="7d", reason="answered: 400")
    for what in ("reference", "identity", "address"):
        yield stage.get("changelist", same=f"{what}:{entry.pk}")
    yield stage.get("changelist", since="2026-11-01", until="2026-11-30", answer="503")
    yield stage.post("resend", ids=entry.pk)
    file = stage.post("changelist", action="export", _selected_action=entry.pk)

    yield HttpResponse(file.getvalue())
    yield stage.client.get(reverse("admin:index"))


def what_was_not_seen_yet(stage: Stage) -> Iterator[HttpResponse]:
    now = timezone.now()
    several = [stage.record(str(number), status="failed", created_at=now - timedelta(days=7)) for number in range(2)]
    stage.record("2", event_type="login", status="failed")
    yield stage.client.get(reverse("admin:index"))
    yield stage.get("changelist")
    yield stage.get("changelist", type="login")
    for entry in several:
        SendAttempt.objects.create(entry=entry, at=now + timedelta(hours=1), reason="answered: 400")
        yield stage.client.get(reverse("admin:index"))


def more_than_is_counted(stage: Stage) -> Iterator[HttpResponse]:
    stage.limit(2)
    entries = [stage.record(str(number), status="failed", reason="answered: 400") for number in range(4)]
    yield stage.get("changelist")
    yield stage.post("resend", reason="answered: 400", recorded="24h")
    yield stage.post("changelist", action="send_again", _selected_action=[entry.pk for entry in entries])


def looking_up_what_several_have(stage: Stage) -> Iterator[HttpResponse]:
    for number in range(100020, 100028):
        for _time in range(2):
            stage.record(str(number), identity=f"pixel:{PIXEL}")
    for typed in ("100023", PIXEL, hash_of_address(CANARY), "1000"):
        yield stage.post("search", text=typed)
    SendLogEntry.objects.filter(reference__gt="100023").delete()
    yield stage.post("search", text="1000")


def looking_up_what_is_not_there(stage: Stage) -> Iterator[HttpResponse]:
    yield stage.post("search", text="100099")
    yield stage.client.get(url("changelist"), {"q": "100099"}, follow=True)
    stage.mask()
    yield stage.post("search", text="100099")


def sending_again(stage: Stage) -> Iterator[HttpResponse]:
    soon = timezone.now() + timedelta(minutes=1)
    good = [stage.record(str(number), status="sent") for number in range(12)]
    busy = stage.record("13", claim="token", due_at=soon)
    emptied = stage.record("14", status="sent", payload="")
    nobody = stage.record("15", status="skipped", identity="", reason="nobody")
    every = ",".join(str(entry.pk) for entry in [*good, busy, emptied, nobody])
    yield stage.post("resend", ids=every)
    yield stage.post("resend", ids=nobody.pk)
    yield stage.post("resend", ids=every, confirmed="yes")
    yield stage.get("history", good[0].pk)
    yield stage.client.get(reverse("admin:index"))


def holding_and_releasing(stage: Stage) -> Iterator[HttpResponse]:
    waiting = stage.record(status="failed", reason="answered: 400")
    for held in ("yes", "no"):
        yield stage.post("hold", held=held)
        yield stage.post("hold", held=held, confirmed="yes")
        yield stage.post("resend", ids=waiting.pk)
    yield stage.client.get(reverse("admin:index"))


def several_accounts(stage: Stage) -> Iterator[HttpResponse]:
    both = {**settings.DJANGO_VT, "ACCOUNT_ID": {"one.ro": "acc123", "one.bg": "acc1234"}}
    with override_settings(DJANGO_VT=both):
        stage.record("1")
        strays = [stage.record(number, account_id="acc12345") for number in "23"]
        lost = stage.record("4", account_id="", status="skipped", reason="invalid: ACCOUNT_ID")
        endpoint_row("acc1234", "confirmation", paused_until=10**14, reason="tls")
        yield stage.get("changelist", account="acc123")
        yield stage.get("change", strays[0].pk)
        Endpoint.objects.hold("acc123")
        yield stage.get("changelist")
        yield stage.post("hold", held="yes", account="acc1234")
        yield stage.post("resend", ids=lost.pk)
        ids = [str(entry.pk) for entry in strays]
        for chosen in (ids[:1], ids, [*ids, str(lost.pk)], [*ids, str(lost.pk), str(stage.record("5").pk)]):
            yield stage.post("skip", ids=",".join(chosen))
        yield stage.post("skip", ids=lost.pk)
        yield stage.post("skip", ids=",".join(ids), confirmed="yes")
        yield stage.get("history", strays[0].pk)


def unreported_orders(stage: Stage) -> Iterator[HttpResponse]:
    yield stage.get("unreported")
    known = {**settings.DJANGO_VT, "ORDERS": "tests.unit.admin.scenes.orders"}
    with override_settings(DJANGO_VT=known):
        yield stage.get("changelist")
        for most in (1, 12):
            placed[:] = map(str, range(100, 100 + most))
            yield stage.post("unreported")
        placed[:] = ["canary.bird@example.com"]
        yield stage.post("unreported")
        for most in (1, 3):
            placed[:] = map(str, range(100, 100 + most))
            yield stage.post("unreported", confirmed="yes")
        yield stage.get("changelist")
        with override_settings(DJANGO_VT={**known, "ENABLED": False}):
            yield stage.post("unreported", confirmed="yes")
        with override_settings(DJANGO_VT={**known, "ACCOUNT_ID": {"one.ro": "acc123", "one.bg": "acc1234"}}):
            yield stage.get("unreported")
        placed[:] = [""]
        yield stage.post("unreported")


def orders_pages(stage: Stage) -> Iterator[HttpResponse]:
    entry = stage.record("100023")
    with override_settings(DJANGO_VT={**settings.DJANGO_VT, "ORDER_URL": "tests.unit.admin.scenes.page_of"}):
        yield stage.get("change", entry.pk)


def page_of(order_id: str) -> str:
    """An order's own page."""
    return f"/orders/{order_id}/"


def a_person_s_data(stage: Stage) -> Iterator[HttpResponse]:
    soon = timezone.now() + timedelta(minutes=1)
    mine = {"way": "address", "text": CANARY}
    yield stage.get("person")
    yield stage.post("person", **mine)
    for way in ("address", "pixel", "vtsid"):
        yield stage.post("person", way=way, text=" ")
    for number in (1, 2):
        stage.record(str(number), identity=f"pixel:{PIXEL}")
        stage.record(str(number), identity=f"pixel:{PIXEL}", email="other@example.com")
        RememberedIdentity.objects.create(key=str(number), identity=f'{{"email":"{CANARY}"}}', created_at=soon)
        yield stage.post("person", **mine)
    stage.record("3", claim="token", due_at=soon)
    yield stage.post("person", **mine)
    yield stage.post("person", way="pixel", text=PIXEL)
    stage.searched_at_most(1)
    yield stage.post("person", **mine)
    stage.post("person", **mine, act="export")
    yield stage.client.get(reverse("admin:index"))
    yield stage.post("person", **mine, act="forget", typed="no")
    yield stage.post("person", **mine, act="forget", typed=CANARY)
    yield stage.get("history", SendLogEntry.objects.latest("pk").pk)


placed: list[str] = []


def orders(since: object, until: object) -> Iterator[Confirmation]:
    """The shop's own; an empty number is refused by the constructor."""
    for number in placed:
        yield Confirmation(number, "25.00", [Item("TEA-1", 1)], email="canary.bird@example.com")


SCENES = (
    unreported_orders,
    several_accounts,
    start_pages,
    sending_in_every_state,
    entries_of_every_kind,
    waiting_entries,
    a_long_life,
    filtered_lists,
    what_was_not_seen_yet,
    more_than_is_counted,
    looking_up_what_several_have,
    looking_up_what_is_not_there,
    sending_again,
    holding_and_releasing,
    a_person_s_data,
    orders_pages,
)
