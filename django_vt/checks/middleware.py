"""Whether the middleware is installed."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Warning  # noqa: A004 - the name of Django's checks
from django.utils.module_loading import import_string

MIDDLEWARE = "django_vt.middleware.VTIdentityMiddleware"


def check_middleware() -> list[CheckMessage]:
    """MIDDLEWARE names ours, or a subclass of it. Where in the list doesn't matter."""
    installed = list(django_settings.MIDDLEWARE or ())
    if MIDDLEWARE in installed or any(_is_subclass(path) for path in installed):
        return []
    return [
        Warning(
            f"{MIDDLEWARE} is not in MIDDLEWARE.",
            hint=f'Add "{MIDDLEWARE}": without it there is no request.vt_identity, and what a stopped process has '
            "left unsent waits for the next event.",
            id="django_vt.W001",
        )
    ]


def _is_subclass(path: str) -> bool:
    try:
        found = import_string(path)
    except Exception:  # noqa: BLE001 - Django says so itself, with the first request
        return False
    return isinstance(found, type) and issubclass(found, import_string(MIDDLEWARE))
