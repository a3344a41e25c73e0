"""A shopper's browser in the Oscar shop: real HTTP, cookies, CSRF tokens."""

from __future__ import annotations

import re

import requests

ADDRESS = {
    "first_name": "Ana",
    "last_name": "Pop",
    "line1": "Str. Lunga 1",
    "line4": "Brasov",
    "postcode": "500035",
}


class Shopper:
    """Walks the shop. A page that is broken fails the test."""

    def __init__(self, root: str, **cookies: str) -> None:
        self._root = root
        self._browser = requests.Session()
        self._browser.cookies.update(cookies)

    def get(self, path: str) -> requests.Response:
        return self._whole(self._browser.get(self._root + path, timeout=20))

    def post(self, path: str, **fields: object) -> requests.Response:
        page = self.get(path)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, f"no form on {path}"
        return self._send(path, {"csrfmiddlewaretoken": token[1], **fields})

    def put_into_basket(self, product: str, product_id: int) -> None:
        page = self.get(product)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token
        basket = self._send(
            f"/basket/add/{product_id}/", {"csrfmiddlewaretoken": token[1], "quantity": 2}, page=product
        )
        assert "Your cart total is now" in basket.text

    def log_in(self, email: str, password: str) -> None:
        self.post(
            "/accounts/login/",
            **{"login-username": email, "login-password": password, "login_submit": "Log In"},
        )

    def check_out(self) -> requests.Response:
        """From the address to the thank-you page, which is returned."""
        self.post("/checkout/shipping-address/", **ADDRESS)
        self.get("/checkout/shipping-method/")
        self.get("/checkout/payment-method/")
        preview = self.get("/checkout/preview/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', preview.text)
        assert token
        return self._send("/checkout/preview/", {"csrfmiddlewaretoken": token[1], "action": "place_order"})

    def begin_as_guest(self, email: str) -> None:
        self.post("/checkout/", username=email, options="anonymous")

    def _send(self, path: str, fields: dict[str, object], page: str = "") -> requests.Response:
        headers = {"Referer": self._root + (page or path)}
        return self._whole(self._browser.post(self._root + path, data=fields, headers=headers, timeout=20))

    @staticmethod
    def _whole(response: requests.Response) -> requests.Response:
        assert response.status_code == 200, f"{response.status_code} at {response.url}"
        return response
