"""`captured_events()`: the entries that a block of code recorded in the send log."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, overload

from asgiref.sync import iscoroutinefunction, sync_to_async

# Functions import Django's models themselves: the pytest plugin imports this module in projects without Django, too.
if TYPE_CHECKING:
    from django_vt.models import SendLogEntry

Function = TypeVar("Function", bound=Callable[..., Any])
Key = tuple[str, Any]
"""Database alias and primary key."""


class CapturedEvents(Sequence["SendLogEntry"]):
    """The entries recorded so far, in the order of their first recording; equal to a list of the same entries.

    Each access reads the entries again, with one query per database, so that it shows the results of the delivery, and
    no entry that was rolled back. (On a running event loop Django allows no query, so it shows the entries as they were
    recorded; `await sync_to_async(list)(events)` reads them there.) After the block it no longer changes.
    """

    def __init__(self) -> None:
        self._entries: dict[Key, SendLogEntry] = {}
        self._closed = False

    def __len__(self) -> int:
        return len(self._current())

    @overload
    def __getitem__(self, index: int) -> SendLogEntry: ...
    @overload
    def __getitem__(self, index: slice) -> list[SendLogEntry]: ...
    def __getitem__(self, index: int | slice) -> SendLogEntry | list[SendLogEntry]:
        return self._current()[index]

    def __iter__(self) -> Iterator[SendLogEntry]:
        # The `__iter__` of Sequence would access each index, with one query each.
        return iter(self._current())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, list | CapturedEvents):
            return NotImplemented
        return self._current() == list(other)

    __hash__: ClassVar[None]  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._current())

    def add(self, entry: SendLogEntry) -> None:
        """Add `entry`; if it was added before, it keeps its place."""
        self._entries[entry._state.db or "default", entry.pk] = entry

    def refresh(self) -> None:
        """Read all entries again, and drop those whose rows are gone."""
        found: dict[Key, SendLogEntry] = {}
        for alias in {alias for alias, _ in self._entries}:
            found.update(_rows(alias, [pk for key_alias, pk in self._entries if key_alias == alias]))
        self._entries = {key: found[key] for key in self._entries if key in found}

    def close(self) -> None:
        """Read the entries a last time."""
        self._drop_doomed()
        self.refresh()
        self._closed = True

    def _current(self) -> list[SendLogEntry]:
        if not self._closed and not _queries_are_refused():
            self.refresh()
        return list(self._entries.values())

    def _drop_doomed(self) -> None:
        """Drop entries that are about to be rolled back.

        If an exception leaves the block inside an `atomic()`, that transaction accepts no more queries.
        """
        from django.db import connections

        self._entries = {
            (alias, pk): entry for (alias, pk), entry in self._entries.items() if not connections[alias].needs_rollback
        }


def _rows(alias: str, primary_keys: list[Any]) -> dict[Key, SendLogEntry]:
    from django_vt.models import SendLogEntry

    rows = SendLogEntry.objects.using(alias).in_bulk(primary_keys)
    return {(alias, pk): row for pk, row in rows.items()}


def _queries_are_refused() -> bool:
    from django_vt.recording import event_loop

    return event_loop.runs_here()


@contextmanager
def capturing() -> Iterator[CapturedEvents]:
    """`captured_events()`, but without changing settings and without reading the entries at the end."""
    from django_vt.recording.record import recorded

    events = CapturedEvents()

    def note(entry: SendLogEntry, request: object = None, **kwargs: Any) -> None:
        if not _is_of_the_test_client(entry, request):
            events.add(entry)

    recorded.connect(note, weak=False)
    try:
        yield events
    finally:
        recorded.disconnect(note)


def _is_of_the_test_client(entry: SendLogEntry, request: object) -> bool:
    """Whether it is a login by `client.force_login()` or `client.login()`, which only sets a test up.

    Their request is a plain `HttpRequest`, which no server ever makes.
    """
    from django.http import HttpRequest

    return entry.event_type == "login" and type(request) is HttpRequest


def raising_settings() -> dict[str, Any]:
    """The project's DJANGO_VT with FAIL_SILENTLY False, so that errors in recording fail the test."""
    from django.conf import settings

    return {**getattr(settings, "DJANGO_VT", {}), "FAIL_SILENTLY": False}


class captured_events:  # noqa: N801 - users call it like a function
    """The events recorded inside a block, as a sequence of `SendLogEntry`.

    For example::

        with captured_events() as events:
            client.post("/checkout/")
        assert [(event.event_type, event.reference) for event in events] == [("confirmation", "100023")]

    Each entry is listed once, even if its order was signalled several times, and as it is in the database when the
    block ends: if an order was rolled back, `events == []`. A login by `client.force_login()` or `client.login()` is
    not listed; one through the shop's login page is. Inside the block FAIL_SILENTLY is False, so that an error in
    recording, such as an unusable order, fails the test. It works in TestCase, TransactionTestCase and pytest; the test
    needs access to the database as soon as an event was recorded.

    To test a rollback, put it around the transaction, not inside. In async code, write
    `async with captured_events() as events:`; a plain `with` on a running event loop raises `RuntimeError`.

    It also decorates sync and async functions. If the function has an argument `events`, it gets the events there::

        @captured_events()
        def test_checkout(events, client): ...
    """

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> CapturedEvents:
        if _queries_are_refused():
            raise RuntimeError("on a running event loop it is `async with captured_events()`")
        return self._open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._stack:
            self._events.close()

    async def __aenter__(self) -> CapturedEvents:
        return self._open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._stack:
            await sync_to_async(self._events.close)()

    def _open(self) -> CapturedEvents:
        from django.test import override_settings

        self._stack.enter_context(override_settings(DJANGO_VT=raising_settings()))
        self._events = self._stack.enter_context(capturing())
        return self._events

    def __call__(self, function: Function) -> Function:
        """Decorate `function`; every call captures anew."""
        signature = inspect.signature(function)
        wrapper: Any = _async_wrapper(function) if iscoroutinefunction(function) else _wrapper(function)
        # pytest treats a test's arguments as fixtures, so hide `events` from it.
        remaining = [parameter for name, parameter in signature.parameters.items() if name != "events"]
        wrapper.__signature__ = signature.replace(parameters=remaining)
        return wrapper  # type: ignore[no-any-return]


def _wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with captured_events() as events:
            return function(*args, **_with_events(function, events, kwargs))

    return wrapper


def _async_wrapper(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        async with captured_events() as events:
            return await function(*args, **_with_events(function, events, kwargs))

    return wrapper


def _with_events(function: Callable[..., Any], events: CapturedEvents, kwargs: dict[str, Any]) -> dict[str, Any]:
    return {**kwargs, "events": events} if "events" in inspect.signature(function).parameters else kwargs
