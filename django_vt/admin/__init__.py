"""The send log in Django's admin: the entries, what became of them and why, and sending them again.

Nothing here opens a network connection: entries are queued, and the delivery sends them. Staff without the permission
`django_vt.view_person` do not see whose event it was. No address is put into a URL, a title or a history.
`OrderEntries` is for the shop's own admin: it shows an order's entries on the order's page.
"""

from __future__ import annotations

from django_vt.admin.order_page import OrderEntries
from django_vt.admin.send_log import SendLogEntryAdmin

__all__ = ["OrderEntries", "SendLogEntryAdmin"]
