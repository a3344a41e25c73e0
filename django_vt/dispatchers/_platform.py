"""Which SQLite databases bear a second writer, the thread of the thread dispatcher, beside the shop.

With SQLite's own default a transaction that has read before it writes fails at once when another connection was
faster to write: no time-out applies there. Begun with `BEGIN IMMEDIATE`, the two wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from django.core.checks import CheckMessage, Warning  # noqa: A004 - the name of Django's checks
from django.db import connections

from django_vt.models.db import default_alias

WAITING_MODES = ("IMMEDIATE", "EXCLUSIVE")


def is_unsafe_sqlite(alias: str) -> bool:
    """Whether it is SQLite without a `transaction_mode` under which writers wait. Opens no connection."""
    connection = connections[alias]
    if connection.vendor != "sqlite":
        return False
    mode = connection.settings_dict.get("OPTIONS", {}).get("transaction_mode")
    return str(mode).upper() not in WAITING_MODES


def unsafe_sqlite_aliases() -> list[str]:
    """The send log's database, where a delivery thread beside the shop would fail the shop's transactions."""
    alias = default_alias()
    return [alias] if is_unsafe_sqlite(alias) else []


def check_sqlite() -> list[CheckMessage]:
    """What to say of a project whose process writes from a second thread."""
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
        # IMMEDIATE would make every page a writer, and answer 500 when they wait too long for each other.
        return (
            'Set DJANGO_VT["DISPATCHER"] to "django_vt.dispatchers.manual.ManualDispatcher", and have cron or a worker '
            "process run `send_pending`."
        )
    return f'Set DATABASES["{alias}"]["OPTIONS"] = {{"transaction_mode": "IMMEDIATE"}}.'


# uWSGI runs Python threads only where it is told to: without, a delivery thread would stand still.

OFF = {"", "0", "false", "no", "off"}


def uwsgi_threads_are_off() -> bool:
    """Whether this process is a uWSGI worker without `enable-threads` and without `threads`, which implies it.

    Known only here: `manage.py check` runs outside uWSGI.
    """
    try:
        options: object = getattr(import_module("uwsgi"), "opt", None)
    except ImportError:
        return False
    if not isinstance(options, Mapping):
        # A project's own folder of that name, perhaps.
        return False
    given = {_text(name): _text(value).lower() for name, value in options.items()}
    return "threads" not in given and given.get("enable-threads", "") in OFF


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
