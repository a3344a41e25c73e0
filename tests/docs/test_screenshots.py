"""The documentation's pictures of the admin are those that the browser tests take, and say what is on them."""

from __future__ import annotations

import re

import pytest

from tests.browser.pictures import LARGEST, LARGEST_OF_ALL, OF_THE_DOCUMENTATION, PICTURES
from tests.docs.pages import PAGES, text

pytestmark = pytest.mark.once

SCREENSHOT = re.compile(r"!\[([^\]]*)\]\((?:\.\./)?(?:docs/)?_static/screenshots/([^)]+)\)")
SHOWN = [(name, alternative) for page in PAGES for alternative, name in SCREENSHOT.findall(text(page))]


def test_each_is_one_that_the_browser_tests_take_and_each_of_those_is_shown():
    taken = sorted(picture.name for picture in PICTURES)
    assert sorted({name for name, _alternative in SHOWN}) == taken
    assert sorted(path.name for path in OF_THE_DOCUMENTATION.iterdir()) == taken


def test_each_has_a_text_alternative():
    assert [name for name, alternative in SHOWN if len(alternative.split()) < 5] == []


def test_they_are_small():
    sizes = {path.name: path.stat().st_size for path in OF_THE_DOCUMENTATION.iterdir()}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
    assert sum(sizes.values()) < LARGEST_OF_ALL
