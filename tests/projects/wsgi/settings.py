"""The tests' settings with the defaults that a shop gets; the vendor comes from the environment."""

from __future__ import annotations

from tests.settings import *  # noqa: F403
from tests.settings import env

DJANGO_VT = {"ACCOUNT_ID": "acc123", "ENDPOINT": env("VT_ENDPOINT")}
