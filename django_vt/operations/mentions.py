"""Finding an e-mail address, in any spelling, in what a shop has recorded.

An address gets in as a customer's e-mail, but also inside a note, as a link, as a key, or as a second address. So it is
looked for in all texts of an event. Everything takes time in proportion to the length of a text, because a shopper may
have written it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from django_vt.protocol.payloads import unescaped, value_of

LONGEST_ADDRESS = 1000  # characters; no column could hold a longer address
ENCODED_AT_MOST = 2  # how many times a text may be percent-encoded
LETTERS_AND_DIGITS = re.compile(r"[a-z0-9]+", re.ASCII)


class Mentions:
    """The mentions of one address in texts.

    A longer address that ends with it does not count: `jana@example.com` does not mention `ana@example.com`.
    """

    def __init__(self, address: str) -> None:
        self.spellings = spellings(address)
        self.hashes = {hashlib.sha256(each.encode()).hexdigest() for each in self.spellings}
        self._in_texts = sorted({simplified(each) for each in self.spellings if "@" in each})
        addresses = "|".join(map(re.escape, self._in_texts))
        # Before the address: no letter, nor a letter and an apostrophe, as in o'neill. After it: its domain has ended.
        self._pattern = re.compile(rf"(?<![\w.+-])(?<!\w')(?:{addresses})(?![\w-]|\.\w)") if addresses else None

    def needles(self) -> list[str]:
        """Texts to search for, ignoring case: every entry that mentions the address holds one of them.

        Empty if there are no such texts: then any entry may mention it.
        """
        runs = {
            max(LETTERS_AND_DIGITS.findall(each.rpartition("@")[0]), key=len, default="") for each in self._in_texts
        }
        return [] if "" in runs else sorted({*runs, *self.hashes})

    def are_in(self, text: str) -> bool:
        """Whether the text mentions the address, or holds its SHA-256."""
        plain = simplified(text)
        if self._pattern is not None and self._pattern.search(plain):
            return True
        return any(each in plain for each in self.hashes)

    def are_in_payload(self, payload: str) -> bool:
        """Whether the JSON of an event mentions the address anywhere, even in a key."""
        value = value_of(payload)
        return any(map(self.are_in, texts_of([value, unescaped(payload)] if value == payload else value)))


def spellings(address: str) -> set[str]:
    """The spellings in which an address may be stored, all in lower case."""
    plain = _bare(address)
    local, at, domain = plain.rpartition("@")
    written = {address.strip().lower(), plain}
    if at:
        written |= {f"{local}@{each}" for each in _domains(domain)}
    return {unicodedata.normalize(form, each) for each in written for form in ("NFC", "NFD")}


def simplified(text: str) -> str:
    """The text in a form that shows a mention in one way only: decoded, lower case, without invisible characters."""
    for _time in range(ENCODED_AT_MOST):
        text = unquote(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
        text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return "@".join(part.strip() for part in text.lower().split("@"))


def texts_of(value: Any) -> Iterator[str]:
    """All texts in a JSON value: its strings, the keys of its objects, and its numbers as text."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += [*each, *each.values()]
        elif isinstance(each, list):
            left += each
        elif each is not None:
            yield str(each)


def _bare(address: str) -> str:
    """The address in `Ana <ana@example.com>`, in `mailto:ana@example.com`, and before a dot that ends a sentence."""
    text = simplified(address).strip()
    if text.endswith(">"):
        text = text.rpartition("<")[2].rstrip(">").strip()
    return text.removeprefix("mailto:").rstrip(".")


def _domains(domain: str) -> set[str]:
    """A domain in Unicode and in punycode; unchanged if it is no valid domain."""
    try:
        on_the_wire = domain.encode("idna")
        return {domain, on_the_wire.decode().lower(), on_the_wire.decode("idna").lower()}
    except UnicodeError:
        return {domain}
