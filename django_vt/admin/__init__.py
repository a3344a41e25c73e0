"""The send log in Django's admin: what was recorded, what became of it, why, and sending it again.

Nothing here opens a network connection: entries are queued, and delivery sends them. Nothing here shows whose event
it was to staff without the permission `django_vt.view_person`, nor puts an address into a URL, a title or a history.
`OrderEntries` is for the shop's own admin: it shows on the page of an order what became of it.
"""

from __future__ import annotations

from django_vt.admin.order_page import OrderEntries
from django_vt.admin.send_log import SendLogEntryAdmin

__all__ = ["OrderEntries", "SendLogEntryAdmin"]
