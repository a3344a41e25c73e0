"""Holds the code to the drawing of its architecture: who imports whom, and how long things get."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "django_vt"

PURE = {"identity", "events", "protocol", "exceptions", "discretion"}

# Each module (or subpackage) and the others of the package that it imports: the drawing's arrows, no more and no fewer.
ARROWS = {
    # public values, and the vendor's language
    "exceptions": set(),
    "discretion": set(),
    "hooks": set(),
    "signals": {"discretion"},
    "protocol": {"exceptions"},
    "settings_rules": {"exceptions", "protocol"},
    "conf": {"settings_rules"},
    "identity": {"conf", "discretion", "exceptions", "protocol"},
    "events": {"conf", "discretion", "exceptions", "identity", "protocol"},
    # from the row to the vendor
    "models": {"conf", "events", "protocol"},
    "backends": {"conf", "exceptions", "protocol"},
    "delivery": {"accounts", "backends", "conf", "discretion", "exceptions", "models", "protocol", "signals"},
    "dispatchers": {"conf", "delivery", "discretion", "models"},
    "tasks": {"dispatchers"},
    # from the shopper's request to the row
    "visitors": {"conf", "hooks", "identity"},
    "middleware": {"discretion", "dispatchers", "identity", "visitors"},
    "recording": {
        "accounts",
        "conf",
        "discretion",
        "dispatchers",
        "events",
        "exceptions",
        "hooks",
        "identity",
        "models",
        "protocol",
        "signals",
        "visitors",
    },
    "__init__": {"discretion", "events", "identity", "models", "operations", "recording"},
    "adapters": {"accounts", "discretion", "events", "identity", "models", "recording", "visitors"},
    # around them
    "accounts": {"conf", "events", "exceptions", "hooks", "protocol", "settings_rules"},
    "operations": {
        "accounts",
        "conf",
        "delivery",
        "events",
        "exceptions",
        "hooks",
        "identity",
        "models",
        "protocol",
        "recording",
    },
    "admin": {
        "accounts",
        "conf",
        "discretion",
        "events",
        "exceptions",
        "hooks",
        "identity",
        "models",
        "operations",
        "protocol",
        "recording",
    },
    "management": {
        "accounts",
        "conf",
        "delivery",
        "discretion",
        "events",
        "exceptions",
        "identity",
        "models",
        "operations",
        "protocol",
    },
    "tenants": {"conf", "models"},
    "checks": {"conf", "models", "protocol", "settings_rules", "tenants"},
    "apps": {"checks", "recording"},
    "templatetags": {"admin", "conf", "discretion", "exceptions", "identity", "protocol"},
    "testing": {"models", "recording"},
    "contrib": {"accounts", "adapters", "conf", "discretion", "events", "exceptions", "models", "operations"},
}
NETWORK_AND_DATABASE = {"django.db", "http.client", "requests", "socket", "urllib.request", "urllib3"}


def sources(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py") if "migrations" not in path.parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def unit(path: Path) -> str:
    """The part of the drawing that a file belongs to: `delivery`, or `backends` for `backends/http.py`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def units() -> set[str]:
    return {unit(path) for path in sources(PACKAGE)}


def imported_modules(path: Path) -> Iterator[str]:
    """The dotted names that a file imports anywhere in it; `from a import b` gives `a.b`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{origin(path, node)}.{alias.name}" for alias in node.names)


def origin(path: Path, node: ast.ImportFrom) -> str:
    """The absolute name of the module that is imported from."""
    if not node.level:
        return str(node.module)
    package = path.relative_to(ROOT).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def imported_units(path: Path) -> set[str]:
    """The parts of the drawing that a file imports, without its own."""
    known = units()
    names = [[*name.split("."), ""] for name in imported_modules(path)]
    inside = {second if second in known else "__init__" for first, second, *_ in names if first == "django_vt"}
    return inside - {unit(path)}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Each function of a file, and its lines."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{name(path)}: {node.name}", node.end_lineno - node.lineno + 1


def test_every_module_has_its_place_in_the_drawing():
    assert units() == set(ARROWS)


@pytest.mark.parametrize("name", sorted(ARROWS))
def test_the_arrows_are_those_that_the_code_has(name):
    paths = [path for path in sources(PACKAGE) if unit(path) == name]
    assert set().union(*map(imported_units, paths)) == ARROWS[name]


def test_the_arrows_make_no_circle():
    left = {name: set(targets) for name, targets in ARROWS.items()}
    while free := [name for name, targets in left.items() if not targets & set(left)]:
        for name in free:
            del left[name]
    assert left == {}


def test_nothing_imports_a_command_the_admin_or_a_contrib():
    """But for a template tag, which shows on a page of the shop's what the admin shows on its own."""
    ends = {"management", "admin", "contrib", "tasks", "testing", "templatetags"}
    assert {module: targets & ends for module, targets in ARROWS.items() if targets & ends} == {
        "templatetags": {"admin"}
    }  # fmt: skip


@pytest.mark.parametrize("module", sorted(PURE))
def test_pure_modules_touch_neither_network_nor_database(module):
    paths = [path for path in sources(PACKAGE) if unit(path) == module]
    assert paths
    for path in paths:
        for imported in imported_modules(path):
            assert not any(f"{imported}.".startswith(f"{forbidden}.") for forbidden in NETWORK_AND_DATABASE)


def test_only_delivery_calls_a_backend_and_by_its_dotted_path():
    importers = {unit(path) for path in sources(PACKAGE) if "backends" in imported_units(path)}
    assert importers <= {"delivery", "testing"}
    of_delivery = {name for path in sources(PACKAGE) if unit(path) == "delivery" for name in imported_modules(path)}
    assert all(name.startswith("django_vt.backends.base.") for name in of_delivery if ".backends" in name)


def test_only_the_resolver_and_the_checks_read_the_setting_of_the_account():
    readers = {unit(path) for path in sources(PACKAGE) if "settings.ACCOUNT_ID" in path.read_text(encoding="utf-8")}
    assert readers == {"accounts", "checks"}


@pytest.mark.parametrize("path", sources(PACKAGE, ROOT / "tests", ROOT / "example_project"), ids=name)
def test_files_stay_within_400_lines(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 400


def test_functions_are_short():
    lengths = dict(length for path in sources(PACKAGE) for length in functions(path))
    in_order = sorted(lengths.values())
    assert {name: lines for name, lines in lengths.items() if lines > 40} == {}
    assert in_order[len(in_order) * 9 // 10] <= 25
    assert median(in_order) <= 8


def test_no_module_is_a_drawer_for_everything():
    drawers = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert [path for path in sources(PACKAGE) if path.stem in drawers or unit(path) in drawers] == []


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()
