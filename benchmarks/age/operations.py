"""What is compared: the shop's, the worker's, the monitoring's and the staff's work on a log, each timed by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from io import StringIO
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse

from benchmarks import grown_log, orders, scale
from benchmarks.age.turn import Router
from django_vt.admin import filters
from django_vt.conf import settings
from django_vt.delivery.claim import Claim, Claimer
from django_vt.delivery.run import Begun, HeldClaim
from django_vt.delivery.settle import Settlement
from django_vt.models import SendLogEntry
from django_vt.protocol.outcome import Kind, Turn, Verdict
from django_vt.protocol.packing import Packing

Operation = Callable[[str], float]


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1e3


def enqueue(using: str) -> float:
    """In an order's transaction that has written already."""
    Router.using = using
    with transaction.atomic(using=using):
        with connections[using].cursor() as cursor:
            cursor.execute("INSERT INTO bench_order (total) VALUES (23412)")
        return _milliseconds(lambda: orders.place(using))


def claim(using: str) -> float:
    """A worker's look, and its taking."""
    claimer, taken = Claimer(using), []
    spent = _milliseconds(lambda: taken.append(_take(claimer)))
    _give_back(taken[0], using)
    return spent


def settle(using: str) -> float:
    """Storing that a request was accepted, as many entries as it held."""
    claimer = Claimer(using)
    packing = Packing(settings.ENDPOINT, settings.CALLBACK, settings.BATCH_SIZE, settings.MAX_URL_LENGTH)
    held = HeldClaim(_take(claimer), packing, ())
    request = held.next(Turn.FRESH)
    begun = Begun(held, request, Turn.FRESH, 1, 0.0, verdict=Verdict(Kind.ACCEPTED, response_status=200))
    settlement = Settlement(claimer)
    spent = _milliseconds(lambda: settlement.accepted([begun]))
    # As it was before: the next round is to find as much.
    sent = SendLogEntry.objects.using(using).filter(pk__in=request.entry_ids)
    sent.resend("acc123", claimer.clock.now())
    sent.update(due_at=0)
    _give_back(held.claim, using)
    return spent


def _take(claimer: Claimer) -> Claim:
    taken = claimer.take()
    if taken is None:
        raise RuntimeError("nothing is due")
    return taken


def _give_back(held: Claim, using: str) -> None:
    ids = [entry.pk for entry in held.entries]
    SendLogEntry.objects.using(using).give_back(ids, held.token, held.taken_at)


def send_log_status(using: str) -> float:
    """As monitoring asks."""
    Router.using = using
    return _milliseconds(lambda: call_command("send_log_status", "--format=json", database=using, stdout=StringIO()))


def list_anew(using: str) -> float:
    """The list whose figures are a minute old and counted anew."""
    filters.forget()
    return _get(_url("changelist"), {}, using)


def search(using: str) -> float:
    """For an order, to the list of what was found."""
    client, order = _staff(using), {"text": _order_in_the_middle(using)}
    return _milliseconds(lambda: _well(client.post(_url("search"), order, follow=True)))


def page(using: str, **query: str) -> float:
    """The list, filtered."""
    return _get(_url("changelist"), query, using)


def entry_page(using: str) -> float:
    """The page of an entry in the middle of the log."""
    return _get(_url("change", _middle(using)), {}, using)


def person(using: str) -> float:
    """All entries of whom nearly as many entries are as of nobody else."""
    return _get(_url("changelist"), {"same": f"identity:{_of_till(using)}"}, using)


def _get(address: str, query: dict[str, str], using: str) -> float:
    client = _staff(using)
    return _milliseconds(lambda: _well(client.get(address, query)))


def _well(response: Any) -> None:
    if response.status_code != 200:
        raise RuntimeError(f"the admin answered {response.status_code}")


def _url(name: str, *args: object) -> str:
    return reverse(f"admin:django_vt_sendlogentry_{name}", args=args)


def _staff(using: str) -> Client:
    Router.using = using
    return _logged_in(using)


@cache
def _logged_in(using: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client


@cache
def _middle(using: str) -> int:
    newest: int = SendLogEntry.objects.using(using).latest("pk").pk
    return newest // 2 + 5


@cache
def _order_in_the_middle(using: str) -> str:
    return SendLogEntry.objects.using(using).get(pk=_middle(using)).reference


@cache
def _of_till(using: str) -> int:
    tills = SendLogEntry.objects.using(using).filter(identity=f"email:{grown_log.TILL}")
    return tills.order_by("-pk").values_list("pk", flat=True)[0]


PAGES: dict[str, Operation] = {
    "the list": page,
    "the list, its figures counted anew": list_anew,
    "the list of what was sent": partial(page, status="sent"),
    "the list of skipped logins": partial(page, status="skipped", type="login"),
    "page 100 of the list": partial(page, p="100"),
    "a search for an order": search,
    "all entries of one who has many": person,
    "the page of an entry": entry_page,
}
OPERATIONS: dict[str, tuple[Operation, int]] = {
    "`order_placed.send()` in an order": (enqueue, scale.of(400, smoke=2)),
    "a claim": (claim, scale.of(200, smoke=2)),
    "a settlement": (settle, scale.of(200, smoke=2)),
    "`send_log_status`": (send_log_status, scale.of(100, smoke=2)),
    **{name: (operation, scale.of(40, smoke=2)) for name, operation in PAGES.items()},
}
"""Each with how many rounds it is measured in."""
