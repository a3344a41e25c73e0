"""The tutorial and README's five steps, followed to the letter, end as they say."""

from __future__ import annotations

import re
import sys

import pytest

from tests.docs import five_steps
from tests.docs.pages import DOCS, text
from tests.docs.walk import Walk, free_ports, is_seen

pytestmark = [pytest.mark.process, pytest.mark.once]

# .ci/run takes these steps too, with the wheel.
INSTALLATIONS = re.compile(r"^\$ (?:python -m (?:venv|pip) .*|\. venv/bin/activate)\n", re.MULTILINE)
PAGES = {"tutorial": text(DOCS / "tutorial.md"), "five steps": five_steps.page()}


@pytest.mark.parametrize("name", PAGES)
def test_followed_to_the_letter_it_ends_as_it_says(name, tmp_path):
    page, installations = INSTALLATIONS.subn("", PAGES[name])
    assert installations >= 3
    with Walk(tmp_path, sys.executable, free_ports()) as walk:
        walk.follow(page)


def test_what_is_not_there_is_not_seen():
    assert is_seen("one\n…\nthree …\n", "zero\n  one\ntwo\nthree 4\n")
    assert not is_seen("three\none\n", "one\ntwo\nthree\n")
    assert not is_seen("four\n", "one\ntwo\nthree\n")
