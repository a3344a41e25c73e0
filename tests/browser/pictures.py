"""The pictures of the admin in the documentation. `make screenshots` takes them anew, and all others to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.browser.looks import DARK_DESK, LIGHT_DESK, LIGHT_PHONE, Look

ROOT = Path(__file__).parents[2]
OF_THE_DOCUMENTATION = ROOT / "docs" / "_static" / "screenshots"
OF_EVERYTHING = ROOT / "build" / "screenshots"
LARGEST = 150_000  # bytes
LARGEST_OF_ALL = 1_500_000


@dataclass(frozen=True)
class Picture:
    """A page on a screen, from the top down to `height`; at the file's name."""

    page: str
    look: Look
    height: int

    @property
    def name(self) -> str:
        """The file's."""
        return f"{self.page}-{self.look.name}.webp"


PICTURES = (
    Picture("list-first-order", LIGHT_DESK, 1000),
    Picture("list", LIGHT_DESK, 900),
    Picture("list", DARK_DESK, 900),
    Picture("list-unfolded", LIGHT_DESK, 1250),
    Picture("list-outage", LIGHT_DESK, 780),
    Picture("list", LIGHT_PHONE, 900),
    Picture("entry-pending", LIGHT_DESK, 1100),
    Picture("entry-failed", LIGHT_DESK, 1300),
    Picture("resend-reason", LIGHT_DESK, 420),
    Picture("entry-sent-masked", LIGHT_DESK, 900),
)
