"""Who is being served: the request's visitor, and the id that the site itself gives to a visitor.

In comes a request. Out goes `request.vt_identity`, and the cookie `_vtsid` where ISSUE_VTSID says so. No query is made.

For shops there is `current_request`, beside `django_vt.identity.current`.
"""

from __future__ import annotations

from django_vt.visitors.serving import current_request

__all__ = ["current_request"]
