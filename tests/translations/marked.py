"""A language that puts marks around every translation: what a page shows without them can't be translated.

Only what is found in the code and the templates, ours and Django's, is in its catalogue: a text that is handed to
gettext but not found there, such as one that is put together first, goes without marks too.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog, Message

from tests.translations import catalogues

LANGUAGE = "xx"
SHOWN_ATTRIBUTES = {"alt", "aria-description", "aria-label", "label", "placeholder", "title"}
BUTTONS = {"submit", "button", "reset"}
# Code, and not words.
UNREAD = {"pre", "script", "style", "code"}
INNERMOST = re.compile(r"⟦\d+\|[^⟦⟧]*⟧")
NUMBER = re.compile(r"⟦(\d+)\|")
LETTERS = re.compile(r"[^\W\d_]+")


class Marked:
    """The catalogue of the language; the marks of each message bear its number."""

    def __init__(self) -> None:
        every = {
            (message.context, message.id): message
            for catalogue in (*map(catalogues.read, catalogues.of_django("en")), catalogues.extracted())
            for message in catalogue if message.id
        }  # fmt: skip
        self._catalogue = Catalog(locale="en", fuzzy=False)
        for number, message in enumerate(every.values()):
            self._catalogue.add(message.id, _marks(message, number), context=message.context)
        self._for_pages = {number: message for number, message in enumerate(every.values()) if _is_for_pages(message)}

    def compile_into(self, folder: Path) -> None:
        """Write the `.mo` for a folder of LOCALE_PATHS."""
        path = folder / LANGUAGE / "LC_MESSAGES" / "django.mo"
        path.parent.mkdir(parents=True)
        path.write_bytes(catalogues.compile_(self._catalogue))

    def never_in(self, texts: list[str]) -> list[object]:
        """What is for pages and in none of these texts."""
        seen = {int(number) for text in texts for number in NUMBER.findall(text)}
        return [message.id for number, message in self._for_pages.items() if number not in seen]


def _is_for_pages(message: Message) -> bool:
    """Whether the admin has it; the names of columns, for one, no page shows."""
    files = [path for path, _line in message.locations if path.startswith("django_vt/")]
    return any("/admin/" in path or path.endswith("/reasons.py") for path in files)


def _marks(message: Message, number: int) -> str | tuple[str, ...]:
    if isinstance(message.id, str):
        return f"⟦{number}|{message.id}⟧"
    return tuple(f"⟦{number}|{text}⟧" for text in message.id)


def unmarked(text: str) -> str:
    """What is left of a text without what is marked, however deep."""
    while INNERMOST.search(text):
        text = INNERMOST.sub(" ", text)
    return text


class Shown(HTMLParser):
    """The texts of a page that people read or have read to them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.texts += [text for name, text in attrs if text and name in SHOWN_ATTRIBUTES]
        if tag == "input" and given.get("type") in BUTTONS:
            self.texts.append(given.get("value") or "")
        if tag in UNREAD:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.texts.append(data)
