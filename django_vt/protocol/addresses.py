"""E-mail addresses: comparing them whatever their spelling, and finding them in any text.

All functions take time at most proportional to the length of the text.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from django_vt.protocol.payloads import value_of

# Zero-width characters, soft hyphens and direction marks, but no lone surrogates.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
# Matches nearly all addresses, which are bare already, so that they need no further work.
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9.-]{0,250}[A-Za-z0-9]")
# At signs as keyboards of other scripts, and percent-encoding, write them.
AT_SIGN = re.compile("\uff20|\ufe6b|%40")
WORD = re.compile(r"\S+")
ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
# Within a text: what stands around an at sign, up to what ends an address, as in `(jo@example.com)`.
NOT_IN_LOCAL_PART = re.compile(r"[@\s<>()\[\]{}\"`,;:|\\/=?&#%]")
DOMAIN = re.compile(r"[^@\s<>()\[\]{}\"`,;:|\\/=?&#%'!*]+")
LONGEST_LOCAL_PART, LONGEST_DOMAIN = 64, 255
LONGEST_SPELLING = 1000  # characters of one address with its name
BEHIND = ".,;\u3002\uff0e\uff61 \t\r\n\u00a0"
MARKS_AROUND = ".,;:'\"*_!"


def bare(text: str) -> str:
    """The address in the text, as spelt, without a name (`Jo <jo@…>`), `mailto:` and invisible characters.

    Empty for a list of addresses, which identifies nobody. A text that is no address is only stripped of blanks.
    """
    while not PLAIN_ADDRESS.fullmatch(text) and len(text) <= LONGEST_SPELLING:
        barer = _barer(text)
        if barer == text:
            break
        text = barer
    return text


def _barer(text: str) -> str:
    """The text without its outermost wrapping."""
    visible = _visible(text).strip()
    if "@" not in visible:
        return visible
    unfinished = visible.rstrip(BEHIND)
    if unfinished.endswith(">") and "<" in unfinished:
        name, _bracket, inner = unfinished[:-1].rpartition("<")
        return "" if "@" in name else inner
    if unfinished.count("@") > 1:
        return ""
    return unfinished[len("mailto:") :].partition("?")[0] if unfinished[:7].lower() == "mailto:" else unfinished


def canonical(text: str) -> str:
    """The canonical form of an address: bare, NFC, lower case, its domain as in DNS (IDN as punycode).

    Equal for any two spellings of one address, and idempotent. Empty for a list of addresses.
    """
    lower = bare(text).lower()
    if lower.isascii():
        return lower
    local, at_sign, domain = unicodedata.normalize("NFC", lower).rpartition("@")
    return bare(f"{local}{at_sign}{_as_dns_has_it(domain)}")


def hash_of_address(address: str) -> str:
    """The value of the send log's `email_hash`: SHA-256 of the canonical address; empty if there is no address."""
    compared = canonical(address)
    return hashlib.sha256(compared.encode("utf-8", "surrogatepass")).hexdigest() if compared else ""


def is_address(text: str) -> bool:
    """Whether the text is exactly one address."""
    return ADDRESS.fullmatch(bare(text)) is not None


def may_hold_address(text: str) -> bool:
    """Whether the text holds an at sign, in any form; without one it holds no address."""
    return "@" in text or AT_SIGN.search(text) is not None


def within(value: object) -> Iterator[str]:
    """Each address in a JSON value, in canonical form and in order: from all texts and keys at any depth."""
    for text in _texts(value):
        if may_hold_address(text):
            yield from _in_text(text)


def in_payload(payload: str) -> tuple[str, ...]:
    """The distinct addresses in an event's payload; none if the payload was emptied."""
    return tuple(dict.fromkeys(within(value_of(payload)))) if payload else ()


def replaced(text: str, replace: Callable[[str], str]) -> str:
    """The text with each word that may hold an address replaced. Words are separated by blanks."""
    if not may_hold_address(text):
        return text
    return WORD.sub(lambda word: replace(word[0]) if may_hold_address(word[0]) else word[0], text)


def _visible(text: str) -> str:
    return AT_SIGN.sub("@", unicodedata.normalize("NFC", INVISIBLE.sub("", text)))


def _as_dns_has_it(domain: str) -> str:
    if domain.isascii() or len(domain) > LONGEST_DOMAIN:
        return domain
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return domain  # not a host name


def _in_text(text: str) -> Iterator[str]:
    before, *others = _visible(text).split("@")
    for after in others:
        local_part = NOT_IN_LOCAL_PART.split(before[-LONGEST_LOCAL_PART:])[-1]
        domain = after and DOMAIN.match(after[:LONGEST_DOMAIN])
        if local_part and domain:
            found = f"{local_part}@{domain[0]}".strip(MARKS_AROUND)
            yield from filter(None, [canonical(found)])
        before = after
    if is_address(text):
        yield canonical(text)  # its local part may hold characters that would end an address inside a text


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
