"""`pydoc` of each public name is complete: what it is, each parameter, each error."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import pkgutil
import textwrap

import pytest

import django_vt
from tests.docs.public_names import all_described, described, thing
from tests.typing.completeness import incomplete, seen

pytestmark = pytest.mark.once

# Adapters to packages that are not here; and a module that is run, not imported.
LEFT_OUT = (
    *(f"django_vt.contrib.{adapter}" for adapter in ("oscar", "plans", "salesman")),
    "django_vt.testing.fake_vendor.__main__",
)
DESCRIBED = [pytest.param(one, id=one.name) for one in all_described()]


def test_names_are_found():
    assert {"django_vt.track", "django_vt.testing.FakeVendor", "django_vt.backends.base.Backend"} <= set(described())
    assert len(DESCRIBED) > 60


@pytest.mark.parametrize("one", DESCRIBED)
def test_it_says_what_it_is(one):
    assert one.docstring.strip()


@pytest.mark.parametrize("one", DESCRIBED)
def test_it_names_each_parameter(one):
    assert [name for name in one.parameters if f"`{name}`" not in one.docstring] == []


@pytest.mark.parametrize("one", DESCRIBED)
def test_it_names_each_error_that_it_raises(one):
    raised = {error for function in one.functions for error in raised_in(function)}
    assert [error.__name__ for error in raised if not is_named(error, one.docstring)] == []


def raised_in(function):
    """The classes of what the function itself raises."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield function.__globals__.get(node.exc.func.id) or getattr(builtins, node.exc.func.id)


def is_named(error, docstring):
    return any(f"`{base.__name__}`" in docstring for base in error.__mro__)


def test_every_name_that_a_module_exports_is_described():
    exported = [f"{module.__name__}.{name}" for module in modules() for name in vars(module).get("__all__", ())]
    undescribed = [name for name in exported if not inspect.getdoc(thing(name))]
    assert len(exported) > 25
    assert undescribed == []


def modules():
    for found in pkgutil.walk_packages(django_vt.__path__, "django_vt."):
        if not found.name.startswith(LEFT_OUT):
            yield importlib.import_module(found.name)
    yield django_vt


def report_of(*symbols):
    """What pyright prints, as far as it is read."""
    return {
        "typeCompleteness": {
            "symbols": [
                {"name": name, "diagnostics": [{"severity": "error", "message": message}] if message else []}
                for name, message in symbols
            ]
        }
    }


def test_a_public_name_without_a_type_is_found_and_a_private_one_is_not_looked_at():
    report = report_of(
        ("shop.track", ""),
        ("shop.tracker", "Type is missing type annotation"),
        ("shop.Event.email", "Type is missing type annotation"),
        ("shop.Event._shown", "Type is missing type annotation"),
        ("shop.Event.Meta.ordering", "Type is missing type annotation"),
    )
    public = {"shop.track", "shop.Event"}
    assert list(incomplete(report, public)) == ["shop.Event.email: Type is missing type annotation"]
    assert seen(report, public) == 2
    assert not seen(report_of(), public)


def test_a_type_that_holds_an_unknown_is_found_where_it_is_written():
    holds = 'Return type is partially unknown\n  Return type is "list[Unknown]"'
    is_whole = 'Return type is partially unknown\n  Return type is "Entry | None"'
    report = report_of(("shop.track", holds), ("shop.found", is_whole))
    assert len(list(incomplete(report, {"shop.track", "shop.found"}))) == 1
