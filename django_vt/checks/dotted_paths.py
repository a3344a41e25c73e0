"""Whether what the settings name can be imported and is of the right kind; and what it has to say itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from django_vt.checks.values import is_well_formed
from django_vt.conf import BLOCK, DEFAULTS, settings

DOTTED_PATH = re.compile(r"\w+(\.\w+)+", re.ASCII)
# By dotted path, as the settings name theirs: only the delivery imports a backend.
BASE_CLASSES = {"BACKEND": "django_vt.backends.base.Backend", "DISPATCHER": "django_vt.dispatchers.base.Dispatcher"}
HOOKS = {
    "BEFORE_RECORD": "(event, identity, request or None) that returns the event, or None to drop it",
    "ISSUE_VTSID": "(request) that returns whether the visitor may get the cookie",
}


def check_dotted_paths(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """BACKEND, DISPATCHER, with their own `check()`, and the hooks BEFORE_RECORD and ISSUE_VTSID."""
    messages: list[CheckMessage] = []
    for key in (*BASE_CLASSES, *HOOKS):
        path = getattr(settings, key)
        if isinstance(path, str) and is_well_formed(block, key):
            messages += _check_path(key, path)
    return messages


def _check_path(key: str, path: str) -> list[CheckMessage]:
    try:
        found: Any = import_string(path)
    except Exception as error:  # noqa: BLE001 - a module of the project's may raise anything
        return [_not_importable(key, path, error)]
    if key not in BASE_CLASSES:
        return [] if callable(found) else [_not_callable(key)]
    base = import_string(BASE_CLASSES[key])
    if not (isinstance(found, type) and issubclass(found, base)):
        return [_not_a_subclass(key)]
    return _own_check(key, found)


def _own_check(key: str, found: Any) -> list[CheckMessage]:
    try:
        return list(found.check())
    except Exception as error:  # noqa: BLE001 - a project may have written it
        return [
            Error(
                f'{BLOCK}["{key}"]: the check() of the class it names raised {type(error).__name__}.',
                hint="check() takes no argument but the class and returns a list of messages.",
                id="django_vt.E011",
            )
        ]


def _not_importable(key: str, path: str, error: Exception) -> CheckMessage:
    return Error(
        f'{BLOCK}["{key}"] cannot be imported: {_why(path, error)}.',
        hint=f"It is a dotted path such as {DEFAULTS[key] or f'shop.consent.{key.lower()}'!r}.",
        id="django_vt.E009",
    )


def _why(path: str, error: Exception) -> str:
    if not DOTTED_PATH.fullmatch(path):
        return "it is no dotted path"
    # An ImportError's text holds names of modules; another error's could hold anything.
    return str(error) if isinstance(error, ImportError) else f"the import raised {type(error).__name__}"


def _not_a_subclass(key: str) -> CheckMessage:
    return Error(
        f'{BLOCK}["{key}"] names something that is no {BASE_CLASSES[key]}.',
        hint=f"Derive the class from it, or leave the setting out, for {DEFAULTS[key]!r}.",
        id="django_vt.E010",
    )


def _not_callable(key: str) -> CheckMessage:
    return Error(
        f'{BLOCK}["{key}"] names something that cannot be called.',
        hint=f"It is a function of {HOOKS[key]}.",
        id="django_vt.E010",
    )
