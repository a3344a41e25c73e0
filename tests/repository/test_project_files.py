"""What strangers look for in a repository, against what is in this one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / folder / "README.md" for folder in ("benchmarks", "example_project", "tests"))]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# A path in backticks: with a slash, or of a kind that only files are. manage.py is the shop's.
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]*|(?!manage\.py)[\w-]+\.(?:cfg|md|py|toml|yml))`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def metadata() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def is_there(name: str, page: Path) -> bool:
    """Below the root, the page or the package, where modules go without an ending; a bare name anywhere in that."""
    folders = (ROOT, page.parent, ROOT / "django_vt")
    if any((folder / f"{name}{ending}").exists() for folder in folders for ending in ("", ".py")):
        return True
    return "/" not in name and any((ROOT / "django_vt").rglob(name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_files_that_a_page_names_are_there(page: Path) -> None:
    named = set(PATH.findall(page.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not is_there(name, page)] == []


def test_readmes_links_work_on_the_package_index_too() -> None:
    links = LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert [link for link in links if not link.startswith("https://")] == []


def versions(classifiers: str, prefix: str) -> set[str]:
    """The versions among the classifiers, such as 3.14 for Python."""
    return set(re.findall(rf"^{prefix} :: (\d+\.\d+)$", classifiers, re.MULTILINE))


def test_every_python_and_django_of_the_classifiers_is_tested_and_no_other(metadata: ConfigParser) -> None:
    constants = {
        node.targets[0].id: node.value
        for node in ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    # `make test` in CI, and the session `webassembly`.
    pairs = {("3.11", "5.2"), ("3.14", "6.1"), *((row[0], row[1]) for row in ast.literal_eval(constants["PAIRS"]))}
    classifiers = metadata["metadata"]["classifiers"]
    assert versions(classifiers, "Programming Language :: Python") == {python for python, _ in pairs}
    assert versions(classifiers, "Framework :: Django") == {django for _, django in pairs}


def pinned_by_pre_commit() -> Iterator[Requirement]:
    """What .pre-commit-config.yaml installs."""
    text = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    for requirement in re.findall(r"additional_dependencies: \[(.+)\]", text):
        yield Requirement(requirement)


def test_pre_commit_has_the_linters_of_make_lint(metadata: ConfigParser) -> None:
    allowed = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, metadata["options.extras_require"]["dev"].strip().splitlines())
    }
    pinned = {requirement.name: str(requirement.specifier).removeprefix("==") for requirement in pinned_by_pre_commit()}
    assert set(pinned) == {"check-jsonschema", "djlint", "ruff", "typos", "zizmor"}
    assert [name for name, version in pinned.items() if version not in allowed[name]] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_takes_only_actions_that_nobody_can_change(workflow: Path) -> None:
    used = re.findall(r"uses: (.*)", workflow.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_no_more_unless_a_job_says_so(workflow: Path) -> None:
    assert "\npermissions:\n  contents: read\n\n" in workflow.read_text(encoding="utf-8")
