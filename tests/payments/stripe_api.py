"""As much of Stripe as a Checkout session needs: an API on this machine, and webhooks signed as Stripe signs them."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from django.http import HttpResponse
from django.test import Client
from djstripe.models import WebhookEndpoint

SECRET = "whsec_0"
ACCOUNT = {"id": "acct_1", "object": "account", "country": "RO", "settings": {"branding": {}}, "metadata": {}}


class StripeAPI:
    """Keeps one session. While `is_down`, it answers everything with an error."""

    def __init__(self) -> None:
        self.session: dict[str, Any] = {}
        self.is_down = False
        self.base = ""

    def create(self, form: dict[str, list[str]]) -> None:
        self.session = {
            "id": "cs_test_1",
            "object": "checkout.session",
            "livemode": False,
            "mode": form["mode"][0],
            "client_reference_id": form["client_reference_id"][0],
            "amount_total": int(form["line_items[0][price_data][unit_amount]"][0]),
            "payment_status": "unpaid",
            "status": "open",
            "success_url": form["success_url"][0],
            "url": "https://checkout.stripe.example/cs_test_1",
            "customer": None,
            "payment_intent": None,
            "metadata": {},
            "created": 1,
        }

    def event(self, event_type: str, number: int = 1, **changes: Any) -> dict[str, Any]:
        """What Stripe tells about the session, which has changed so."""
        self.session.update(changes)
        return {
            "id": f"evt_{number}",
            "object": "event",
            "api_version": "2026-05-27.dahlia",
            "created": 1,
            "livemode": False,
            "type": event_type,
            "request": None,
            "data": {"object": self.session},
        }

    def answer(self, path: str) -> dict[str, Any]:
        if self.is_down:
            return {"error": {"message": "down"}}
        return ACCOUNT if path.startswith("/v1/account") else self.session

    @contextmanager
    def serve(self) -> Iterator[None]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                api.create(parse_qs(body))
                self._answer()

            def _answer(self) -> None:
                body = json.dumps(api.answer(self.path)).encode()
                self.send_response(500 if api.is_down else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            self.base = f"http://127.0.0.1:{server.server_address[1]}"
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


def call_back(event: dict[str, Any], secret: str = SECRET) -> HttpResponse:
    """Stripe's request to the webhook of dj-stripe, which the shop has set up."""
    set_up = {"secret": SECRET, "url": "https://shop.example/", "enabled_events": ["*"], "livemode": False}
    endpoint, _ = WebhookEndpoint.objects.get_or_create(id="we_1", defaults=set_up)
    body, now = json.dumps(event), int(time.time())
    signature = hmac.new(secret.encode(), f"{now}.{body}".encode(), hashlib.sha256).hexdigest()
    return Client(raise_request_exception=False).post(
        f"/stripe/webhook/{endpoint.djstripe_uuid}/",
        body,
        content_type="application/json",
        headers={"Stripe-Signature": f"t={now},v1={signature}"},
    )
