"""A shopper's browser and a payment provider at the Salesman shop's API, with cookies and CSRF tokens."""

from __future__ import annotations

from typing import Any

from django.test import Client

GUEST = "guest@example.com"


class Shopper:
    """Talks to the API. An answer that is none fails the test."""

    def __init__(self, **cookies: str) -> None:
        self._browser = Client(enforce_csrf_checks=True)
        for name, value in cookies.items():
            self._browser.cookies[name] = value

    def log_in(self, username: str, password: str) -> None:
        self._browser.get("/login/")
        form = {"csrfmiddlewaretoken": self._token(), "username": username, "password": password}
        assert self._browser.post("/login/", form).status_code == 302

    def call(self, method: str, path: str, **data: Any) -> Any:
        headers = {"X-CSRFToken": self._token()}
        send = getattr(self._browser, method.lower())
        response = send(path, data, content_type="application/json", headers=headers)
        assert response.status_code < 300, f"{response.status_code} at {path}: {response.content[:500]!r}"
        return response.json()

    def put_into_basket(self, product: Any, quantity: int) -> None:
        self.call("POST", "/api/basket/", product_type="salesman_shop.Tea", product_id=product.pk, quantity=quantity)

    def check_out(self, payment_method: str, email: str = GUEST) -> Any:
        """What the shop answers: where to go next."""
        addresses = {"shipping_address": "Str. Lunga 1, Brasov", "billing_address": "Str. Lunga 1, Brasov"}
        return self.call("POST", "/api/checkout/", email=email, payment_method=payment_method, **addresses)

    def _token(self) -> str:
        cookie = self._browser.cookies.get("csrftoken")
        return cookie.value if cookie else ""


def provider_calls_back(payment_method: str, ref: str) -> None:
    assert Client().get(f"/api/payment/{payment_method}/paid/{ref}/").content == b"OK"
