"""The database connection ends at each statement of a pass in turn: what was answered is stored all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from django_vt.delivery import deliver_due
from django_vt.models import Endpoint, SendLogEntry, db
from django_vt.protocol.outcome import Reply
from django_vt.signals import event_failed, event_sent
from tests.support.delivering import one, pending

pytestmark = pytest.mark.django_db(transaction=True)


class Cut:
    """Ends the connection before the statement of a number, once."""

    def __init__(self, number: int, end: Callable[[], None]) -> None:
        self.left = number
        self._end = end

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            self._end()
        return execute(sql, params, many, context)


def end_the_connection() -> None:
    """As a server that restarts does; SQLite has no connection to lose, so its file cannot be read for once."""
    if connection.vendor == "sqlite":
        raise OperationalError("disk I/O error")
    if connection.vendor == "mysql":
        # By the server: a connection that its client has closed cannot be closed again, as Django does.
        with suppress(connection.Database.Error):
            connection.connection.kill(connection.connection.thread_id())
        return
    connection.connection.close()


def turn_read_only() -> None:
    """As the old server after a failover: this connection may only read from now on."""
    with connection.connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")


def deliver_through(number: int, end: Callable[[], None]) -> bool:
    """A pass in which that statement fails, and another; False: the pass had fewer statements."""
    cut = Cut(number, end)
    with connection.execute_wrapper(cut):
        if not a_pass_succeeds():
            connection.close()  # as a worker does, which then begins another pass
            assert a_pass_succeeds()
    return cut.left <= 0


def a_pass_succeeds() -> bool:
    try:
        deliver_due()
    except (DatabaseError, InterfaceError):
        return False
    return True


@pytest.mark.parametrize("status", [200, 400, 500, 503])
@pytest.mark.parametrize("end", [end_the_connection, turn_read_only])
def test_wherever_the_connection_ends_each_answer_is_stored_and_told_once(clock, script, monkeypatch, end, status):
    if end is turn_read_only and connection.vendor != "postgresql":
        end = end_the_connection  # nobody else has such servers
    monkeypatch.setattr(db, "_sleep", lambda seconds: None)
    told: Counter[tuple[str, int]] = Counter()
    receivers = {
        event_sent: lambda entry, **kwargs: told.update([("sent", entry.pk)]),
        event_failed: lambda entry, **kwargs: told.update([("failed", entry.pk)]),
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver)
    try:
        number = 1
        while pass_with_cut(clock, script, number, end=end, status=status, told=told):
            number += 1
    finally:
        for signal, receiver in receivers.items():
            signal.disconnect(receiver)
    assert number > 5


def pass_with_cut(clock: Any, script: Any, number: int, *, end: Callable[[], None], status: int, told: Any) -> bool:
    """Deliver two good entries and one bad one; False where the pass has no such statement any more."""
    SendLogEntry.objects.all().delete()
    Endpoint.objects.all().delete()
    script.requests.clear()
    told.clear()
    bad = one(batch_limit=1, accepted_when_rejected=-1, accepted_before=-1, attempts=7, due_at=timezone.now())
    good = pending(2)
    answer = Reply(status, "1") if status == 503 else status
    script.answer = lambda request: answer if bad.pk in request.entry_ids else 200
    reached = deliver_through(number, end)
    clock.advance(130)
    deliver_due()
    wrong = f"statement {number}: {script.times_sent}, {told}"
    assert [script.times_sent[entry.pk] for entry in good] == [1, 1], wrong
    assert [told["sent", entry.pk] for entry in good] == [1, 1], wrong
    bad.refresh_from_db()
    assert bad.status == {200: "sent", 400: "failed", 500: "failed", 503: "pending"}[status], wrong
    if status in {400, 500}:
        assert (told["failed", bad.pk], script.times_sent[bad.pk]) == (1, 1), wrong
    return reached
