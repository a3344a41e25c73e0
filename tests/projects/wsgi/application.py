"""The application, as `startproject` writes it, which also prints what was sent."""

from __future__ import annotations

import os
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.projects.wsgi.settings")
application = get_wsgi_application()


def tell(sender: object, *, entry: Any, **_others: object) -> None:
    """When the outcome is stored, so that who waits for that knows when to look."""
    print("sent", entry.reference, flush=True)  # noqa: T201 - read by the tests


from django_vt.signals import event_sent  # noqa: E402 - there are no models before

event_sent.connect(tell)
