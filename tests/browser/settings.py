"""The tests' project under a strict Content-Security-Policy, of django-csp or, from Django 6.0 on, of Django itself."""

from __future__ import annotations

import django

from tests.settings import *  # noqa: F403
from tests.settings import DJANGO_VT, MIDDLEWARE

ROOT_URLCONF = "tests.browser.urls"

NOTHING_BUT_NONCES = {"default-src": ["'none'"]}
if django.VERSION >= (6, 0):
    from django.utils.csp import CSP

    SECURE_CSP = {**NOTHING_BUT_NONCES, "script-src": [CSP.NONCE]}
    MIDDLEWARE = ["django.middleware.csp.ContentSecurityPolicyMiddleware", *MIDDLEWARE]
else:
    from csp.constants import NONCE

    CONTENT_SECURITY_POLICY = {"DIRECTIVES": {**NOTHING_BUT_NONCES, "script-src": [NONCE]}}
    MIDDLEWARE = ["csp.middleware.CSPMiddleware", *MIDDLEWARE]

DJANGO_VT = {**DJANGO_VT, "ISSUE_VTSID": True}
