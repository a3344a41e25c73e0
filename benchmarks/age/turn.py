"""Whose turn it is: the database that the admin, the command or the shop works on just now."""

from __future__ import annotations

from typing import Any


class Router:
    """Sends every query to the database whose turn it is."""

    using = "default"

    def db_for_read(self, model: Any, **hints: Any) -> str:
        """The one for all."""
        return Router.using

    db_for_write = db_for_read
