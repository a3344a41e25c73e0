"""E-mail addresses: compared by what they are, not by their spelling, and found wherever a text holds them.

Everything here takes time that grows no faster than the text.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from django_vt.protocol.payloads import value_of

# Invisible: zero-width characters, soft hyphens, marks of direction. Lone surrogates are not among them.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
)
# Of nearly all addresses it is known at once that they are bare.
PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,63}@[A-Za-z0-9.-]{0,250}[A-Za-z0-9]")
# As keyboards of other scripts and percent-encoding write it.
AT_SIGN = re.compile("\uff20|\ufe6b|%40")
WORD = re.compile(r"\S+")
ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
# Within a text: what stands around an at sign, up to what ends an address, as in `(jo@example.com)`.
NOT_IN_LOCAL_PART = re.compile(r"[@\s<>()\[\]{}\"`,;:|\\/=?&#%]")
DOMAIN = re.compile(r"[^@\s<>()\[\]{}\"`,;:|\\/=?&#%'!*]+")
LONGEST_LOCAL_PART, LONGEST_DOMAIN = 64, 255
LONGEST_SPELLING = 1000  # of one address, with the name
BEHIND = ".,;\u3002\uff0e\uff61 \t\r\n\u00a0"
MARKS_AROUND = ".,;:'\"*_!"


def bare(text: str) -> str:
    """The address that a text is, as it was spelt: without a name (`Jo <jo@…>`), `mailto:` and what cannot be seen.

    Empty for a list of addresses: it names nobody. A text that is no address keeps all but the blanks around it.
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
    """An address as it is compared: bare, in NFC and lower case, its domain as DNS has it (IDN as punycode).

    Equal for two spellings of one address, and the same for what it has returned. Empty for a list of addresses.
    """
    lower = bare(text).lower()
    if lower.isascii():
        return lower
    local, at_sign, domain = unicodedata.normalize("NFC", lower).rpartition("@")
    return bare(f"{local}{at_sign}{_as_dns_has_it(domain)}")


def hash_of_address(address: str) -> str:
    """The send log's column `email_hash`: SHA-256 of the address as it is compared; empty for none."""
    compared = canonical(address)
    return hashlib.sha256(compared.encode("utf-8", "surrogatepass")).hexdigest() if compared else ""


def is_address(text: str) -> bool:
    """Whether a text is one address and nothing else."""
    return ADDRESS.fullmatch(bare(text)) is not None


def may_hold_address(text: str) -> bool:
    """Whether an at sign stands in a text, in whatever form: without one it holds no address."""
    return "@" in text or AT_SIGN.search(text) is not None


def within(value: object) -> Iterator[str]:
    """Each address in a value as JSON has it, as it is compared: in texts and in keys, however deep, in their order."""
    for text in _texts(value):
        if may_hold_address(text):
            yield from _in_text(text)


def in_payload(payload: str) -> tuple[str, ...]:
    """Each address that an event's payload holds, once; none where it was emptied."""
    return tuple(dict.fromkeys(within(value_of(payload)))) if payload else ()


def replaced(text: str, replace: Callable[[str], str]) -> str:
    """The text with each word that may hold an address replaced; a word ends with a blank."""
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
        return domain  # it is no host's name


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
        yield canonical(text)  # its local part may hold what ends an address in other texts


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
