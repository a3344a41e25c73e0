"""A visitor's browser, as far as a shop can tell: it keeps cookies and fills in forms."""

from collections.abc import Mapping

import requests

from example_project.shop_server import ShopFailed


class Browser:
    def __init__(self, shop: str) -> None:
        self._shop = shop
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy on the way to this machine

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def cookie(self, name: str) -> str:
        return self._session.cookies[name]

    def get(self, path: str) -> requests.Response:
        return self._ask("GET", path, expected=200)

    def submit(self, page: str, action: str = "", **fields: object) -> requests.Response:
        """Opens a page and posts its form, with the CSRF token. A redirect means that the shop was content."""
        self.get(page)
        form = {"csrfmiddlewaretoken": self.cookie("csrftoken"), **fields}
        return self._ask("POST", action or page, expected=302, data=form)

    def _ask(
        self, method: str, path: str, *, expected: int, data: Mapping[str, object] | None = None
    ) -> requests.Response:
        reply = self._session.request(method, f"{self._shop}{path}", data=data, timeout=30, allow_redirects=False)
        if reply.status_code != expected:
            raise ShopFailed(f"{method} {path} was answered {reply.status_code}, not {expected}.")
        return reply
