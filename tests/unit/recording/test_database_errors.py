"""What the log says of a database's error: class, code, and what to do; never its text."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError

from django_vt.recording import database_errors
from django_vt.recording.database_errors import described


class OfPsycopg(Exception):
    def __init__(self, sqlstate):
        self.sqlstate = sqlstate


class OfPsycopg2(Exception):
    def __init__(self, pgcode):
        self.pgcode = pgcode


def raised(error, cause=None):
    """As Django raises it, from the driver's own."""
    error.__cause__ = cause
    return error


MIGRATE = "a table is missing: run `manage.py migrate`"
GRANT = "the database user lacks a right: grant SELECT, INSERT, UPDATE and DELETE on the tables django_vt_*"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (raised(ProgrammingError("canary"), OfPsycopg("42P01")), f"ProgrammingError (42P01), {MIGRATE}"),
        (raised(ProgrammingError("canary"), OfPsycopg2("42P01")), f"ProgrammingError (42P01), {MIGRATE}"),
        (ProgrammingError(1146, "canary"), f"ProgrammingError (1146), {MIGRATE}"),
        (OperationalError("no such table: canary"), f"OperationalError (no such table), {MIGRATE}"),
        (raised(ProgrammingError("canary"), OfPsycopg("42501")), f"ProgrammingError (42501), {GRANT}"),
        (OperationalError(1142, "canary"), f"OperationalError (1142), {GRANT}"),
        (OperationalError("database is locked"), "OperationalError (SQLITE_BUSY)"),
        (raised(OperationalError("canary"), OfPsycopg("25006")), "OperationalError (25006)"),
        (raised(OperationalError("canary"), OfPsycopg(None)), "OperationalError"),
        (InterfaceError(), "InterfaceError"),
        (LookupError(5), "LookupError"),
    ],
)
def test_an_error_is_told_by_class_and_code_with_what_to_do(error, told):
    assert described(error) == told


@pytest.mark.parametrize(
    ("error", "passes", "waited", "deadlock"),
    [
        (raised(OperationalError(), OfPsycopg("55P03")), False, True, False),
        (raised(OperationalError(), OfPsycopg("57014")), False, True, False),
        (OperationalError(1205, ""), False, True, False),
        (OperationalError("database is locked"), False, True, False),
        (raised(OperationalError(), OfPsycopg("40P01")), True, False, True),
        (OperationalError(1213, ""), True, False, True),
        (OperationalError(2006, "gone away"), True, False, False),
        (InterfaceError("connection already closed"), True, False, False),
        (IntegrityError(1062, ""), True, False, False),
        (ProgrammingError(1146, ""), False, False, False),
        (LookupError(), False, False, False),
    ],
)
def test_only_what_passes_is_tried_again(error, passes, waited, deadlock):
    assert database_errors.may_pass(error) is passes
    assert database_errors.is_wait_exhausted(error) is waited
    assert database_errors.is_deadlock(error) is deadlock
