"""The public names: those that docs/reference/api.md describes, the signals, and the tables with their columns."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FunctionType

from _pytest.fixtures import FixtureFunctionDefinition
from django.apps import apps
from django.dispatch import Signal

from django_vt import signals
from tests.docs.pages import DOCS, text

DIRECTIVE = re.compile(r"^\.\. auto(module|class|function):: (\S+)\n((?: +:.*\n)*)", re.MULTILINE)
MAKERS = ("__init__", "__post_init__", "__enter__", "__aenter__")  # the class speaks for them


def described() -> list[str]:
    """The full names of what the page describes, as a shop imports them."""
    found: list[str] = []
    for kind, name, options in DIRECTIVE.findall(text(DOCS / "reference" / "api.md")):
        if kind == "module":
            members = re.search(r":members:(.*)", options)
            found += [f"{name}.{member}" for member in named_or_all(name, members[1] if members else "")]
        else:
            found.append(name)
    return found


def named_or_all(module_name: str, members: str) -> list[str]:
    """What `:members:` stands for: what it lists, else what the module exports, else what it defines."""
    if members.strip():
        return [member.strip() for member in members.split(",")]
    module = importlib.import_module(module_name)
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module_name]
    return [name for name in getattr(module, "__all__", own) if not name.startswith("_")]


def thing(name: str) -> object:
    """What a full name stands for."""
    module, _, member = name.rpartition(".")
    return getattr(importlib.import_module(module), member)


def definition(name: str) -> str:
    """Where it is defined, as a type checker calls it."""
    meant = thing(name)
    if not inspect.isclass(meant) and not inspect.isfunction(meant):
        return name  # an alias of a type, a fixture
    return f"{meant.__module__}.{meant.__qualname__}"


def all_names() -> set[str]:
    """Under which a public thing may be reported: as imported, and as defined."""
    names = described() + [
        f"{signals.__name__}.{name}" for name, value in vars(signals).items() if isinstance(value, Signal)
    ]
    names += [f"{model.__module__}.{model.__name__}" for model in apps.get_app_config("django_vt").get_models()]
    return {*names, *map(definition, names)}


@dataclass(frozen=True)
class Described:
    """Something public that is called or read, with what `pydoc` says of it."""

    name: str
    docstring: str
    parameters: tuple[str, ...]
    functions: tuple[FunctionType, ...]
    """Where it may raise by itself."""


def all_described() -> Iterator[Described]:
    """Each public function and class, and each class's methods and properties."""
    for name in described():
        meant = thing(name)
        if inspect.isclass(meant):
            yield _class(name, meant)
            yield from _members(name, meant)
        elif inspect.isfunction(meant):
            yield Described(name, _with_the_synchronous_form(name, meant), _parameters(meant), (inspect.unwrap(meant),))
        elif isinstance(meant, FixtureFunctionDefinition):
            yield Described(name, inspect.getdoc(meant) or "", (), ())


def _class(name: str, cls: type) -> Described:
    is_made = "__init__" in vars(cls) and not getattr(cls, "_is_protocol", False)
    makers = [inspect.unwrap(vars(cls)[maker]) for maker in MAKERS if is_made and maker in vars(cls)]
    # That of a dataclass has no source, and raises nothing.
    written = tuple(maker for maker in makers if maker.__code__.co_filename == inspect.getfile(cls))
    return Described(name, _docstrings(cls.__mro__), _parameters(cls) if is_made else (), written)


def _members(name: str, cls: type) -> Iterator[Described]:
    for member, value in vars(cls).items():
        function = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
        function = inspect.unwrap(function) if callable(function) else function
        if inspect.isfunction(function) and (not member.startswith("_") or member == "__call__"):
            inherited = [getattr(base, member, None) for base in cls.__mro__[1:]]
            docstring = _docstrings([function, *inherited]) if function.__doc__ else ""
            yield Described(f"{name}.{member}", docstring, _parameters(function), (function,))


def _docstrings(things: Iterable[object]) -> str:
    """What a class adds to its bases, or a method to those that it overrides, is read with theirs."""
    return "\n".join(one.__doc__ for one in things if one is not object and getattr(one, "__doc__", None))


def _with_the_synchronous_form(name: str, function: FunctionType) -> str:
    """`atrack` says that it is `track`, whose docstring then is its own."""
    package, _, own = name.rpartition(".")
    synchronous = thing(f"{package}.{own[1:]}") if inspect.iscoroutinefunction(function) else None
    return _docstrings([function, *([synchronous] if synchronous and f"`{own[1:]}`" in str(function.__doc__) else [])])


def _parameters(called: Callable[..., object]) -> tuple[str, ...]:
    taken = inspect.signature(called).parameters
    return tuple(name for name in taken if name not in {"self", "cls"} and not name.startswith("_"))
