"""Classify database errors by class and code, never by text: the text can hold a row, and with it an address."""

from __future__ import annotations

from django.db import Error, IntegrityError, InterfaceError, OperationalError

WAIT_EXHAUSTED = frozenset({"55P03", "57014", 1205, 1969, "SQLITE_BUSY"})
DEADLOCK = frozenset({"40P01", 1213})
# The character set of the column or the database cannot encode the text.
UNHOLDABLE_TEXT = frozenset({"22P05", 1366})
MISSING_TABLE = frozenset({"42P01", 1146, "no such table"})
MISSING_RIGHT = frozenset({"42501", 1142})

ADVICE = {
    MISSING_TABLE: "a table is missing: run `manage.py migrate`",
    MISSING_RIGHT: "the database user lacks a right: grant SELECT, INSERT, UPDATE and DELETE on the tables django_vt_*",
}

Code = int | str


def code_of(error: BaseException) -> Code | None:
    """PostgreSQL's SQLSTATE, MariaDB's errno, or a name for SQLite's message; None if there is none of these."""
    if not isinstance(error, Error):
        return None
    cause = error.__cause__
    sqlstate = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)  # psycopg, psycopg2
    if isinstance(sqlstate, str):
        return sqlstate
    first = error.args[0] if error.args else None
    if isinstance(first, int):
        return first
    return _sqlite_word(str(first))


def _sqlite_word(text: str) -> str | None:
    # Python 3.10 has no `sqlite_errorcode`.
    if text.startswith("no such table"):
        return "no such table"
    return "SQLITE_BUSY" if text in {"database is locked", "database table is locked"} else None


def described(error: BaseException) -> str:
    """For a log line: the error's class, its code if it has one, and advice if there is any."""
    code = code_of(error)
    if code is None:
        return type(error).__name__
    advice = next((advice for codes, advice in ADVICE.items() if code in codes), "")
    return f"{type(error).__name__} ({code})" + (f", {advice}" if advice else "")


def is_wait_exhausted(error: BaseException) -> bool:
    """Whether the statement waited for a lock until the database's time limit; a second try would wait as long."""
    return code_of(error) in WAIT_EXHAUSTED


def is_deadlock(error: BaseException) -> bool:
    """Whether two transactions waited for each other, and the database aborted this one."""
    return code_of(error) in DEADLOCK


def is_unholdable_text(error: BaseException) -> bool:
    """Whether a character set cannot encode a text that was to be stored."""
    return isinstance(error, UnicodeEncodeError) or code_of(error) in UNHOLDABLE_TEXT


def may_pass(error: BaseException) -> bool:
    """Whether a second try can succeed: after a simultaneous insert of the same key, a deadlock, a lost connection."""
    if isinstance(error, (IntegrityError, InterfaceError)):
        return True
    return isinstance(error, OperationalError) and not (is_wait_exhausted(error) or is_unholdable_text(error))
