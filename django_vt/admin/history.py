"""The admin's own history: who did what, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models
from django.http import HttpRequest


def note(request: HttpRequest, objects: Sequence[models.Model], words: str) -> None:
    """A line in each object's history, by the one who makes the request."""
    user_id: Any = request.user.pk
    LogEntry.objects.log_actions(user_id, objects, CHANGE, words)
