"""Who is looking at the send log, and how much of it is theirs to see and do."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.http import HttpRequest

from django_vt.admin import masking
from django_vt.models import SendLogEntry

MAY_RESEND = "django_vt.resend_sendlogentry"
MAY_SEE_PEOPLE = "django_vt.view_person"


@dataclass(frozen=True)
class Viewer:
    """What a member of staff gets to see of the people in the send log: all, or what remains when they are masked."""

    sees_people: bool

    @classmethod
    def of(cls, request: HttpRequest) -> Viewer:
        """The one who makes the request."""
        return cls(sees_people=request.user.has_perm(MAY_SEE_PEOPLE))

    def identity(self, entry: SendLogEntry) -> str:
        """Whose event it is, in the stored form."""
        return entry.identity if self.sees_people else masking.identity(entry.identity)

    def reference(self, entry: SendLogEntry) -> str:
        """The reference; a shop may have chosen an address for one."""
        return entry.reference if self.sees_people else masking.text(entry.reference)

    def payload(self, entry: SendLogEntry) -> str:
        """The event, compact as it is sent, or masked."""
        return entry.payload if self.sees_people else self.masked_payload(entry)

    def masked_payload(self, entry: SendLogEntry) -> str:
        """The event as anybody may see it."""
        event = entry.event
        if event is None:
            return ""
        return masking.own_ids(json.dumps(masking.event(event), separators=(",", ":")), entry.identity)


def indented(payload: str) -> str:
    """A payload as people read JSON, with letters as they are; empty for an empty one."""
    return json.dumps(json.loads(payload), indent=2, ensure_ascii=False) if payload else ""
