"""Remove local variables from the tracebacks of errors that leave this package, so that reports show no personal data.

A traceback keeps the local variables of every function that the error has passed. Reports of the error show them:
Django's technical page, its mail to ADMINS, an error tracker. In this package's functions they hold a shopper's address
and the events about them. So every function that a shop or Django calls is decorated with `discreetly`.

The shop's own functions keep their variables, even if this package called them.
"""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from inspect import iscoroutinefunction
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TypeVar, cast

import django

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

PACKAGE = __name__.partition(".")[0]
# The folders of Python's standard library, and of the packages installed beside Django.
_FOLDERS = {
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    str(Path(django.__file__).parents[1]),
}
# Code that was compiled from a text has a file name such as `<string>` or `<frozen importlib._bootstrap>`.
LIBRARIES = ("<", *(f"{folder}{os.sep}" for folder in _FOLDERS))


def discreetly(function: F) -> F:
    """Decorate a function or coroutine function so that its errors carry no local variables of this package."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs  # this frame is running and cannot be cleared
            forget_values(error)
            raise

    @wraps(function)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            forget_values(error)
            raise

    return cast("F", call_async if iscoroutinefunction(function) else call)


def made_discreetly(cls: type[T]) -> type[T]:
    """Decorate a class so that its constructor is wrapped by `discreetly`."""
    cls.__init__ = discreetly(cls.__init__)  # type: ignore[method-assign]
    return cls


def forget_values(error: BaseException) -> None:
    """Clear the local variables of this package's functions, and of libraries that they called, in the tracebacks.

    These are the tracebacks of the error, its causes and its contexts. A function that still runs keeps its variables.
    """
    below: set[FrameType] = set()
    known = [error]
    for each in known:  # the loop appends to it
        _clear(each.__traceback__, below)
        for other in (each.__cause__, each.__context__):
            if other is not None and not any(other is one for one in known):
                known.append(other)


def _clear(traceback: TracebackType | None, below: set[FrameType]) -> None:
    """Clear one traceback. `below` collects the frames that belong to this package or have one of it as a caller."""
    is_below = False
    while traceback is not None:
        frame = traceback.tb_frame
        # The traceback of a cause begins where the cause was caught, which may be in a library.
        is_below = is_below or frame in below or _is_ours(frame)
        if is_below:
            below.add(frame)
            if _is_ours(frame) or not (_is_the_shops(frame) or _hides_by_itself(frame)):
                with suppress(RuntimeError):  # it still runs: an outer `discreetly` will clear it
                    frame.clear()
        traceback = traceback.tb_next


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == PACKAGE


def _is_the_shops(frame: FrameType) -> bool:
    file = frame.f_globals.get("__file__") or frame.f_code.co_filename
    return not str(file).startswith(LIBRARIES)


def _hides_by_itself(frame: FrameType) -> bool:
    """Whether the frame is the wrapper of Django's `sensitive_variables`, whose variables error reports need."""
    return frame.f_code.co_name == "sensitive_variables_wrapper"
