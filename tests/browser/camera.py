"""Pictures of the page that is open, and where they are kept."""

from __future__ import annotations

import base64
from pathlib import Path

from selenium import webdriver

from tests.browser.looks import Look
from tests.browser.pictures import OF_EVERYTHING, OF_THE_DOCUMENTATION, PICTURES

WHOLE = "return document.documentElement.scrollHeight"


class Camera:
    """Takes every picture that the documentation shows; keeps them, and those of all other pages, when asked to."""

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps

    def take(self, browser: webdriver.Chrome, page: str, look: Look) -> list[int]:
        """The sizes, in bytes, of the documentation's pictures of this page on this screen."""
        if self._keeps:
            self._keep(OF_EVERYTHING / f"{page}-{look.name}.webp", photograph(browser, look))
        wanted = [picture for picture in PICTURES if (picture.page, picture.look) == (page, look)]
        return [
            self._keep(OF_THE_DOCUMENTATION / picture.name, photograph(browser, look, picture.height))
            for picture in wanted
        ]

    def _keep(self, path: Path, picture: bytes) -> int:
        if self._keeps:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture)
        return len(picture)


def photograph(browser: webdriver.Chrome, look: Look, height: int | None = None) -> bytes:
    """A WebP of the page from the top down to `height`, or its end."""
    whole = browser.execute_script(WHOLE)
    clip = {"x": 0, "y": 0, "scale": 1, "width": look.width, "height": min(height or whole, whole)}
    options = {"format": "webp", "quality": 90, "captureBeyondViewport": True, "clip": clip}
    return base64.b64decode(browser.execute_cdp_cmd("Page.captureScreenshot", options)["data"])
