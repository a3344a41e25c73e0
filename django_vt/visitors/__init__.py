"""The visitor of the request being served, and the id that the shop itself gives to a visitor.

Input: a request. Output: `request.vt_identity`, and the cookie `_vtsid` if ISSUE_VTSID says so. No query is made.

Shops may use `current_request`, as well as `django_vt.identity.current`.
"""

from __future__ import annotations

from django_vt.visitors.serving import current_request

__all__ = ["current_request"]
