"""The browser of tests/browser, at a site with a theme."""

from __future__ import annotations

from tests.browser.conftest import (  # noqa: F401 - fixtures
    _noon,
    browser,
    camera,
    chromium,
    pytest_addoption,
    staff,
)
