"""The screens that pages are looked at on: light and dark, on a desk and on a phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the documentation's tests have no selenium
    from selenium import webdriver


@dataclass(frozen=True)
class Look:
    """A screen, its size in CSS pixels."""

    name: str
    width: int
    height: int
    dark: bool = False


LIGHT_DESK = Look("light", 1440, 900)
DARK_DESK = Look("dark", 1440, 900, dark=True)
LIGHT_PHONE = Look("phone", 360, 740)
DARK_PHONE = Look("dark-phone", 360, 740, dark=True)
LOOKS = (LIGHT_DESK, DARK_DESK, LIGHT_PHONE, DARK_PHONE)
PHONES_END = 600
# Django's links take a moment to change their colour, which nobody needs to wait for.
TRANSITIONS_END = """
    const done = arguments[0];
    requestAnimationFrame(() => {
        document.getAnimations().forEach(one => one.finish());
        requestAnimationFrame(() => done());
    });
"""


def wear(browser: webdriver.Chrome, look: Look) -> None:
    """Turns the browser, and the page that is open in it, to this look."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if look.dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    size = {"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": look.width < PHONES_END}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.execute_async_script(TRANSITIONS_END)
