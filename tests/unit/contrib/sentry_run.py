"""A shop with the real Sentry SDK, in a process of its own, as the SDK patches what it finds for good.

`python -m tests.unit.contrib.sentry_run '{"…": …}'` places an order, fails to deliver it once, delivers it, lets a
recording fail, and prints everything that would have gone to Sentry, an item a line.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest import mock
from urllib.parse import quote

import django
import requests
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

if __name__ == "__main__":
    django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, connection
from django.test import Client, RequestFactory, override_settings

from django_vt import track
from django_vt.backends.base import Backend
from django_vt.contrib.sentry import VibetraceIntegration, scrub_breadcrumb, scrub_event, scrub_log, scrub_span
from django_vt.delivery import deliver_due
from django_vt.delivery.clock import database_now
from django_vt.events import Event
from django_vt.identity import Identity
from django_vt.models import Endpoint, SendLogEntry
from django_vt.protocol.outcome import Reply
from django_vt.protocol.packing import OutgoingRequest
from django_vt.testing import Answer, FakeVendor

# Not in one piece: the lines of this file are in Sentry's stack traces.
ADDRESS = "@".join(("canary.bird", "leak.example"))
TOKEN = "a" * 32


class Printing(Transport):
    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            sys.stdout.write(f"{item.type} {item.get_bytes().decode()}\n")


def run(scenario: dict[str, Any]) -> None:
    protections = {
        "none": {},
        "integration": {"integrations": [VibetraceIntegration()]},
        "hooks": {
            "before_send": scrub_event,
            "before_send_transaction": scrub_event,
            "before_breadcrumb": scrub_breadcrumb,
            "before_send_log": scrub_log,
        },
        "span-hook": {"before_send_span": scrub_span},
    }
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1", transport=Printing, traces_sample_rate=1.0,
        attach_stacktrace="pages" not in scenario,  # that of the test itself, as it plays the server
        # What the shop's own form holds is the shop's to decide.
        max_request_body_size="always" if "pages" in scenario else "never",
        enable_logs=True, **scenario.get("options", {}), **protections[scenario["protection"]],
    )  # fmt: skip
    with (
        FakeVendor() as vendor,
        override_settings(
            DJANGO_VT={
                "ACCOUNT_ID": "acc123",
                "ENDPOINT": vendor.endpoint,
                "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher",
                **scenario.get("settings", {}),
            }
        ),
    ):
        if "pages" in scenario:
            look_up()
        else:
            with traced(scenario):
                deliver(vendor)
                fail_to_record()
                sentry_sdk.capture_message("with all breadcrumbs")
        sentry_sdk.flush()


def traced(scenario: dict[str, Any]) -> AbstractContextManager[Any]:
    """The transaction that the spans belong to; where they are streamed, a span is what begins one."""
    if "options" in scenario:
        return sentry_sdk.traces.start_span(name="delivery")
    return sentry_sdk.start_transaction(name="delivery", op="task")


def deliver(vendor: FakeVendor) -> None:
    Client().post("/buy/", {"number": "100023", "email": ADDRESS})
    vendor.misbehave(Answer(404), times=1)
    deliver_due()
    Endpoint.objects.all().delete()
    SendLogEntry.objects.resend("acc123", database_now("default"))
    deliver_due()
    assert vendor.accepted_orders == {"100023": 1}


def fail_to_record() -> None:
    """An error that passes through this package's functions, out of the shop's hands."""

    def fail(run: Callable[..., Any], sql: str, params: object, many: object, context: object) -> Any:
        if "INSERT" in sql:
            raise OperationalError
        return run(sql, params, many, context)

    with (
        connection.execute_wrapper(fail),
        override_settings(DJANGO_VT={**settings.DJANGO_VT, "FAIL_SILENTLY": False}),
    ):
        try:
            track(Event("wishlist"), identity=Identity(email=ADDRESS))
        except OperationalError:
            sentry_sdk.capture_exception()


def look_up() -> None:
    """Staff look a shopper up, by every way that a browser has for it, and the page fails for once."""
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    staff = client.cookies["sessionid"].value
    entry = track(Event("wishlist", {"cc": ADDRESS}), identity=Identity(email=ADDRESS))
    search, listed, shown = (f"/admin/django_vt/sendlogentry/{page}" for page in ("search/", "", f"{entry.pk}/change/"))
    form = {"text": ADDRESS, "csrfmiddlewaretoken": TOKEN}
    logging.getLogger("access").setLevel(logging.INFO)
    for session, path, data in [
        (staff, search, form),
        (staff, listed, form),
        (staff, f"{listed}hold/", {**form, "held": "perhaps"}),
        (staff, f"{listed}?q={quote(ADDRESS)}", None),
        ("", f"{listed}?q={quote(ADDRESS)}", None),
        ("", f"/admin/login/?next={quote(f'{listed}?q={ADDRESS}')}", None),
        ("", search, form),
        (staff, listed, None),
        (staff, shown, None),
        (staff, f"{shown}?_changelist_filters=q%3D{quote(quote(ADDRESS))}", None),
    ]:
        serve(session, path, data)
        serve(session, path, data, fails=True)


def serve(session: str, path: str, data: dict[str, str] | None, *, fails: bool = False) -> None:
    """A request as a server has it, past Django's test client: Sentry listens at the WSGI handler."""
    factory = RequestFactory(headers={"Referer": f"http://testserver/admin/django_vt/sendlogentry/?q={ADDRESS}"})
    request = factory.get(path) if data is None else factory.post(path, data)
    cookie = f"sessionid={session}; csrftoken={TOKEN}; _vt_user={'-'.join(('canary', 'pixel'))}_1"
    environ = {**request.environ, "HTTP_COOKIE": cookie, "QUERY_STRING": path.partition("?")[2]}
    crashing = mock.patch("django_vt.admin.lookup.hash_of_address", side_effect=LookupError)
    with crashing if fails else nullcontext():
        response = get_wsgi_application()(environ, lambda *_answer: None)
        logging.getLogger("access").info('"%s %s HTTP/1.1"', request.method, path)
        sentry_sdk.logger.info("served {path}", path=path)
        sentry_sdk.capture_message("with all breadcrumbs")
        response.close()


class PlainBackend(Backend):
    """As a shop might write it: it does not take this package's care."""

    def send(self, request: OutgoingRequest) -> Reply:
        return Reply(requests.get(request.url, timeout=5).status_code)


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
