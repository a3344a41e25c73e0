"""The catalogues of translations: what the code and the templates say, and what each language makes of it.

With Babel, which is Python, and not with Django's `makemessages`: that needs GNU gettext on the machine.
"""

from __future__ import annotations

import gettext
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django as django_package
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "django_vt"
LOCALE = PACKAGE / "locale"

LAZY = {f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext", "npgettext")}
KEYWORDS = {**DEFAULT_KEYWORDS, **LAZY, "gettext_noop": None}
HEADER = "# Translations of django-vt. `make messages` merges new strings into this file and compiles it."
# They change with each run or with Babel's version, or are made up: who translated what is in the repository's history.
NEEDLESS = ("Project-Id-Version", "Report-Msgid-Bugs-To", "POT-Creation-Date", "PO-Revision-Date", "Last-Translator")
NEEDLESS_HEADERS = re.compile(rf'^"({"|".join(NEEDLESS)}|Language-Team|Generated-By): .*\n', re.MULTILINE)

# What tells a message from others: its context and its text, or its texts where it counts something.
Key = tuple[str | None, Any]


def languages() -> list[str]:
    """Those that the package brings, as their folders are called: `ro`, `pt_BR`."""
    return sorted(path.name for path in LOCALE.iterdir())


def source(language: str) -> Path:
    """A language's catalogue as people edit it."""
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def of_django(language: str) -> list[Path]:
    """Django's own catalogues in that language: its core's, the admin's and those of the apps beside it."""
    django = Path(django_package.__file__).parent
    name = f"locale/{language}/LC_MESSAGES/django.po"
    return sorted([*django.glob(f"conf/{name}"), *django.glob(f"contrib/*/{name}")])


def extracted() -> Catalog:
    """Everything that the package's code and templates have to say."""
    found = Catalog(fuzzy=False)
    for path in sorted(path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".html"}):
        for line, text, _comments, context in extract("python", _as_python(path), keywords=KEYWORDS):
            found.add(text, locations=[(str(path.relative_to(PACKAGE.parent)), line)], context=context)
    return found


def _as_python(path: Path) -> io.BytesIO:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # Django makes calls of the tags, and X of the rest; its indentation is not Python's.
        text = "\n".join(line.strip() for line in templatize(text).splitlines())
    return io.BytesIO(text.encode())


def read(path: Path) -> Catalog:
    """A catalogue from its `.po`."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def begun(language: str) -> Catalog:
    """An empty catalogue, with the language's plural forms."""
    return Catalog(locale=language, header_comment=HEADER, charset="utf-8", fuzzy=False)


def merge(catalogue: Catalog, found: Catalog) -> Catalog:
    """Take new messages in, untranslated, drop stale ones, and keep the translations of the others."""
    catalogue.update(found, no_fuzzy_matching=True)
    return catalogue


def write(catalogue: Catalog, path: Path) -> None:
    """The `.po`; the compiled `.mo` beside it only where it would say something else."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_text(catalogue), encoding="utf-8")
    compiled, target = compile_(read(path)), path.with_suffix(".mo")
    if not target.exists() or translations(target.read_bytes()) != translations(compiled):
        target.write_bytes(compiled)


def as_text(catalogue: Catalog) -> str:
    """A catalogue as its `.po` has it: with files, but without the numbers of lines, which change all the time."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=100, ignore_obsolete=True, include_lineno=False)
    return NEEDLESS_HEADERS.sub("", buffer.getvalue().decode())


def compile_(catalogue: Catalog) -> bytes:
    """A catalogue as its `.mo` has it."""
    buffer = io.BytesIO()
    write_mo(buffer, catalogue)
    return buffer.getvalue()


def translations(compiled: bytes) -> dict[Any, str]:
    """What a `.mo` translates, by message (and plural form), without its header."""
    return {key: text for key, text in parsed(compiled)._catalog.items() if key}  # type: ignore[attr-defined]


def parsed(compiled: bytes) -> gettext.GNUTranslations:
    """A `.mo` as Python reads it."""
    return gettext.GNUTranslations(io.BytesIO(compiled))


def keys(catalogue: Catalog) -> set[Key]:
    """The messages of a catalogue."""
    return {(message.context, message.id) for message in catalogue if message.id}


def missing(catalogue: Catalog, found: Catalog) -> list[Key]:
    """What the package says and the catalogue doesn't translate whole; what is marked `fuzzy` isn't used, so counts."""
    translated = {
        (message.context, message.id)
        for message in catalogue
        if not message.fuzzy and all([message.string] if isinstance(message.string, str) else message.string)
    }
    return sorted(keys(found) - translated, key=str)


def stale(catalogue: Catalog, found: Catalog) -> list[Key]:
    """What the catalogue translates and the package doesn't say any more, commented out or not."""
    obsolete = {(message.context, message.id) for message in catalogue.obsolete.values()}
    return sorted((keys(catalogue) | obsolete) - keys(found), key=str)


def wrong(catalogue: Catalog) -> Iterator[str]:
    """What in its translations would break a page, or leave out what it should show."""
    for message, errors in catalogue.check():
        yield from (f"{message.id!r}: {error}" for error in errors)
    for message in catalogue:
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        expected = placeholders(ids[-1])
        yield from (
            f"{string!r} has {sorted(placeholders(string))}, not {sorted(expected)}"
            for string in strings
            if message.id and string and placeholders(string) != expected
        )


def placeholders(text: str) -> set[str]:
    """The `%(count)s` of a text."""
    return set(re.findall(r"%\(\w+\)[a-z]", text))
