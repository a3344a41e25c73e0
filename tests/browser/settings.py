"""The tests' project under a strict Content-Security-Policy, of django-csp or, from Django 6.0 on, of Django itself."""

from __future__ import annotations

import django

from tests.settings import *  # noqa: F403
from tests.settings import DJANGO_VT, MIDDLEWARE

ROOT_URLCONF = "tests.browser.urls"

# Files of the site's own, as Django's admin has them, and nothing that stands in a page but a script with its nonce.
POLICY = {
    "default-src": ["'none'"],
    "base-uri": ["'none'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "img-src": ["'self'"],
    "style-src": ["'self'"],
}
if django.VERSION >= (6, 0):
    from django.utils.csp import CSP

    SECURE_CSP = {**POLICY, "script-src": [CSP.SELF, CSP.NONCE]}
    MIDDLEWARE = ["django.middleware.csp.ContentSecurityPolicyMiddleware", *MIDDLEWARE]
else:
    from csp.constants import NONCE, SELF

    CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**POLICY, "script-src": [SELF, NONCE]}}
    MIDDLEWARE = ["csp.middleware.CSPMiddleware", *MIDDLEWARE]

DJANGO_VT = {**DJANGO_VT, "ISSUE_VTSID": True}
