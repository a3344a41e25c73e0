"""Where background threads cannot run: on SQLite without a waiting `transaction_mode`, and in uWSGI without threads.

By SQLite's default, a transaction that reads before it writes fails at once if another connection wrote in between; no
time-out applies. With `BEGIN IMMEDIATE`, the two wait for each other. The thread dispatcher is such a second writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from django.core.checks import CheckMessage, Warning  # noqa: A004 - the name of Django's checks
from django.db import connections

from django_vt.models.db import default_alias

WAITING_MODES = ("IMMEDIATE", "EXCLUSIVE")


def is_unsafe_sqlite(alias: str) -> bool:
    """Whether the database is SQLite without a `transaction_mode` that makes writers wait. Opens no connection."""
    connection = connections[alias]
    if connection.vendor != "sqlite":
        return False
    mode = connection.settings_dict.get("OPTIONS", {}).get("transaction_mode")
    return str(mode).upper() not in WAITING_MODES


def unsafe_sqlite_aliases() -> list[str]:
    """The send log's database, if a delivery thread would make the shop's transactions fail there."""
    alias = default_alias()
    return [alias] if is_unsafe_sqlite(alias) else []


def check_sqlite() -> list[CheckMessage]:
    """The messages for a project whose web process would write from a second thread."""
    return [
        Warning(
            f'DJANGO_VT["DISPATCHER"]: the thread dispatcher does not start on the SQLite database "{alias}"; '
            "events wait for `manage.py send_pending`.",
            hint=f"A second writer would fail the shop's own transactions. {_way_out(alias)}",
            id="django_vt.W002",
        )
        for alias in unsafe_sqlite_aliases()
    ]


def _way_out(alias: str) -> str:
    if connections[alias].settings_dict.get("ATOMIC_REQUESTS"):
        # With IMMEDIATE every page would take the write lock, and answer 500 if it waits too long.
        return (
            'Set DJANGO_VT["DISPATCHER"] to "django_vt.dispatchers.manual.ManualDispatcher", and have cron or a worker '
            "process run `send_pending`."
        )
    return f'Set DATABASES["{alias}"]["OPTIONS"] = {{"transaction_mode": "IMMEDIATE"}}.'


# uWSGI runs Python threads only if configured to; otherwise a delivery thread would stand still.

OFF = {"", "0", "false", "no", "off"}


def uwsgi_threads_are_off() -> bool:
    """Whether this process is a uWSGI worker without `enable-threads` and without `threads`, which implies it.

    Only the worker itself can tell: `manage.py check` runs outside uWSGI.
    """
    try:
        options: object = getattr(import_module("uwsgi"), "opt", None)
    except ImportError:
        return False
    if not isinstance(options, Mapping):
        # The module may be the project's own folder of that name.
        return False
    given = {_text(name): _text(value).lower() for name, value in options.items()}
    return "threads" not in given and given.get("enable-threads", "") in OFF


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
