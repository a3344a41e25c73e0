"""The search for a shopper's data wherever a process tells something: log records, exceptions, objects."""

from __future__ import annotations

import gc
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import QuerySet

from django_vt.testing import Misbehaviour

CANARY = "canary"  # in every address and cookie of the tests that search, and in no name of ours


def holds_canary(text: str) -> bool:
    return CANARY in text.lower()


class Everything(logging.Handler):
    """Keeps whatever any logger is given, as text."""

    def __init__(self) -> None:
        super().__init__(level=1)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        thrown = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.texts.append(f"{record.name} {record.getMessage()}\n{record.__dict__!r}\n{thrown}")


@contextmanager
def objects_before_kept_apart() -> Iterator[None]:
    """The search looks at each object that is alive. While this lasts, it knows which of the older ones are ours."""
    gc.collect()
    older_ours.extend(_ours())
    gc.freeze()  # `gc.get_objects()` leaves them out from now on
    try:
        yield
    finally:
        gc.unfreeze()
        older_ours.clear()


older_ours: list[object] = []


def told_by_objects() -> list[str]:
    """What our objects that are alive tell of themselves, where the canary is in it."""
    gc.collect()
    return [text for alive in (*older_ours, *_ours()) for text in {repr(alive), str(alive)} if holds_canary(text)]


def _ours() -> list[object]:
    return [alive for alive in gc.get_objects() if is_ours(type(alive))]


def is_ours(kind: type) -> bool:
    # What a test tells the stand-in to answer is the test's own. A queryset would ask the database for its entries to
    # show them; those that it holds already are objects of ours too.
    return str(kind.__module__).startswith("django_vt.") and not issubclass(kind, (Misbehaviour, QuerySet))


def thrown_texts(error: BaseException | None) -> list[str]:
    """The texts of an error and of all that led to it."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(error.args)]
        error = error.__cause__ or error.__context__
    return texts
