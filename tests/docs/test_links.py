"""Links within README.md and docs/ lead somewhere; `make docs` looks at the built pages in the same way."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.docs.pages import DOCS, PAGES, text, title

pytestmark = pytest.mark.once

MARKDOWN_LINK = re.compile(r"\]\(([^)#\s]+)\)")
DOC_ROLE = re.compile(r"\{(?:doc)\}`(?:[^`<]*<)?([^`>]+)>?`")


@pytest.fixture(scope="module")
def check_links():
    spec = importlib.util.spec_from_file_location("check_links", DOCS / "check_links.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_what_a_page_links_to_is_there(page):
    files = [page.parent / link for link in MARKDOWN_LINK.findall(text(page)) if "://" not in link]
    pages = [page.parent / f"{name}.md" for name in DOC_ROLE.findall(text(page))]
    assert [str(path) for path in (*files, *pages) if not path.is_file()] == []


def test_links_of_built_pages_that_lead_nowhere_are_found(check_links, tmp_path):
    (tmp_path / "there.html").write_text('<h1 id="top">There</h1>')
    (tmp_path / "index.html").write_text(
        '<a href="there.html">1</a> <a href="there.html#top">2</a> <a href="https://example.com/">3</a>'
        '<a href="there.html#bottom">4</a> <img src="gone.svg">'
    )
    assert list(check_links.broken_links(tmp_path)) == ["index.html: gone.svg", "index.html: there.html#bottom"]
