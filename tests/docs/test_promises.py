"""What README and the explanation pages promise is held by tests, and these exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.pages import DOCS, PAGES, README, ROOT, rows, section, sections, text, title

pytestmark = pytest.mark.once

EXPLANATIONS = [page for page in sorted((DOCS / "explanation").glob("*.md")) if page.name != "index.md"]
TEST_NAME = re.compile(r"`(test_\w+)`")


def names_of_tests():
    """All test functions, of the package and of the example project."""
    for folder in ("tests", "example_project"):
        for path in (ROOT / folder).rglob("test_*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                    yield node.name


@pytest.fixture(scope="module")
def existing():
    return set(names_of_tests())


@pytest.mark.parametrize("page", [page for page in PAGES if TEST_NAME.search(text(page))], ids=title)
def test_the_tests_that_a_page_names_exist(page, existing):
    assert set(TEST_NAME.findall(text(page))) - existing == set()


SECTIONS = [
    pytest.param(heading, body, id=f"{page.stem}: {heading}")
    for page in EXPLANATIONS for heading, body in sections(page)
]  # fmt: skip


@pytest.mark.parametrize(("heading", "body"), SECTIONS)
def test_each_section_of_an_explanation_names_the_tests_that_hold_it(heading, body):
    [held_by] = re.findall(r"^Held by ((?:`test_\w+`[,.]\s*)+)", body, re.MULTILINE)
    assert TEST_NAME.findall(held_by)


def test_each_point_where_a_process_can_die_names_the_test_that_holds_it():
    points = list(rows(DOCS / "explanation" / "guarantees.md", "What happens where a process dies"))
    assert [number for number, *_ in points] == list("1234567")
    assert [number for number, *_, tests in points if not TEST_NAME.search(tests)] == []


def test_each_promise_of_readme_names_the_test_that_holds_it():
    promises = list(rows(README, "What is promised"))
    assert len(promises) >= 8
    assert [promise for promise, tests in promises if not TEST_NAME.search(tests)] == []
    assert section(README, "What is promised")
