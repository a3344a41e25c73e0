"""The catalogue that docs/how-to/translating.md shows: a shop's own words come before the package's."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils import translation

from tests.docs.pages import DOCS, text

pytestmark = pytest.mark.once

PAGE = DOCS / "how-to" / "translating.md"


def test_a_shops_own_words_come_first(settings, tmp_path):
    [shown] = re.findall(r"^```po\n(.*?)^```$", text(PAGE), re.DOTALL | re.MULTILINE)
    assert re.match(r'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n', shown)
    [(path, locale)] = re.findall(r"`(locale/(\w+)/LC_MESSAGES/django)\.po`", text(PAGE))
    compiled = tmp_path / f"{path}.mo"
    compiled.parent.mkdir(parents=True)
    with compiled.open("wb") as file:
        write_mo(file, read_po(BytesIO(shown.encode())))
    assert said(locale) == "Jurnalul de trimiteri"
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    assert said(locale) == "Jurnalul către Vibetrace"


def said(locale: str) -> str:
    with translation.override(locale):
        return translation.gettext("Send log")
