"""uWSGI runs Python threads only where it is told to: without, a delivery thread would stand still."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

OFF = {"", "0", "false", "no", "off"}


def threads_are_off() -> bool:
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
