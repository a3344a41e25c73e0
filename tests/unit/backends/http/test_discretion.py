from __future__ import annotations

import http.client
import logging

import pytest

from django_vt.backends.http import _wire
from django_vt.exceptions import DeliveryError
from django_vt.testing import Answer, Hang
from tests.support.misbehaviour import Garbage, MalformedHeaders, ResetAfterReading, redirect
from tests.unit.backends.requests_to import login

pytestmark = pytest.mark.any_database

SECRETS = ("canary", "example.com", "data=", "%40")


@pytest.mark.parametrize(
    "misbehaviour",
    [
        None,
        Answer(500),
        redirect("/event/acc123/login?data=canary"),
        ResetAfterReading(),
        Garbage(),
        Hang(),
        MalformedHeaders(),
    ],
    ids=repr,
)
def test_no_logger_at_any_level_tells_what_was_sent(vendor, backend, caplog, misbehaviour):
    caplog.set_level(logging.DEBUG)
    if misbehaviour:
        vendor.misbehave(misbehaviour)
    error: object = None
    try:
        backend.send(login())
    except DeliveryError as caught:
        error = caught
    told = caplog.text + repr(error) + str(error)
    assert not [secret for secret in SECRETS if secret in told]
    # Something is told: the test would notice if nothing were logged at all.
    assert "127.0.0.1" in caplog.text


def record(name: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    raised = (type(error), error, None) if error else None
    return logging.LogRecord(name, logging.WARNING, "", 1, " ".join(["%s"] * len(args)), args, raised)


@pytest.mark.parametrize("name", _wire.LOGGERS)
def test_queries_and_tracebacks_are_cut_off_while_a_request_is_under_way(name):
    logger = logging.getLogger(name)
    made = record(name, "/event/acc123/login?data=canary", ValueError("canary"), 7, error=ValueError("canary"))
    with _wire.queries_kept_out_of_logs():
        assert logger.filter(made)
    assert made.getMessage() == "/event/acc123/login ValueError 7"
    assert made.exc_info is None


def test_the_shops_own_requests_are_logged_as_ever():
    with _wire.queries_kept_out_of_logs():
        pass
    name = _wire.LOGGERS[0]
    made = record(name, "/search?q=shoes")
    assert logging.getLogger(name).filter(made)
    assert made.getMessage() == "/search?q=shoes"


def test_a_record_without_arguments_passes():
    made = logging.LogRecord("urllib3.connectionpool", logging.DEBUG, "", 1, "%(a)d", ({"a": 1},), None)
    with _wire.queries_kept_out_of_logs():
        assert _wire._filter.filter(made)
    assert made.args == {"a": 1}


def test_the_filter_is_there_once_however_often_it_was_asked_for():
    for _ in range(3):
        with _wire.queries_kept_out_of_logs():
            pass
    filters = logging.getLogger(_wire.LOGGERS[0]).filters
    assert filters.count(_wire._filter) == 1


def test_what_watches_http_client_sees_no_query(vendor, backend, monkeypatch):
    seen = []
    honest = http.client.HTTPConnection.putrequest

    def watch(self, method, url, *args, **options):
        seen.append(url)
        return honest(self, method, url, *args, **options)

    monkeypatch.setattr(http.client.HTTPConnection, "putrequest", watch)
    backend.send(login())
    assert seen == ["/event/acc123/login"]
    assert vendor.events[0]["email"] == "canary@example.com"
