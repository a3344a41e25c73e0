"""Keys of `DJANGO_VT` that mean nothing: most are spelt wrongly."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from django.core.checks import CheckMessage, Error

from django_vt.conf import BLOCK, KEYS


def check_unknown_keys(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """An error for each key that is no setting, with the one that was probably meant."""
    return [
        Error(f"{BLOCK}[{_shown(key)}] is not a setting of django-vt.", hint=_hint(key), id="django_vt.E004")
        for key in block
        if key not in KEYS
    ]


def _shown(key: object) -> str:
    return ascii(key) if isinstance(key, str) else f"a key of type {type(key).__name__}"


def _hint(key: object) -> str:
    nearest = get_close_matches(str(key).upper(), sorted(KEYS), n=1) if isinstance(key, str) else []
    if nearest:
        return f'Did you mean "{nearest[0]}"?'
    return f"Remove it. The settings are {', '.join(sorted(KEYS))}."
