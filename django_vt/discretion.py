"""What an error that leaves this package takes along: where it came by, and none of the values that it came by.

An error's traceback keeps the local variables of each function that it has passed, and a report of the error shows
them: Django's technical page, its mail to ADMINS, an error tracker. Those of this package's functions are a shopper's
address and what the vendor is told of them. So every function that a shop or Django calls stands behind `discreetly`.

The functions of the shop keep their variables, also those that were called from here: they are the shop's.
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
# Where Python's own modules are, and what is installed beside Django.
_FOLDERS = {
    *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    str(Path(django.__file__).parents[1]),
}
# What was compiled from a text has no file: `<string>`, `<frozen importlib._bootstrap>`.
LIBRARIES = ("<", *(f"{folder}{os.sep}" for folder in _FOLDERS))


def discreetly(function: F) -> F:
    """The function or coroutine function, whose errors leave it without the values of this package's functions."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs  # this function's own variables
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
    """The class, a dataclass or not, with a constructor that is called `discreetly`."""
    cls.__init__ = discreetly(cls.__init__)  # type: ignore[method-assign]
    return cls


def forget_values(error: BaseException) -> None:
    """Clear the variables of this package's functions, and of the libraries that these have called, in its tracebacks.

    Also in the tracebacks of the errors that it came of. A function that still runs keeps its variables.
    """
    below: set[FrameType] = set()
    known = [error]
    for each in known:  # which grows
        _clear(each.__traceback__, below)
        for other in (each.__cause__, each.__context__):
            if other is not None and not any(other is one for one in known):
                known.append(other)


def _clear(traceback: TracebackType | None, below: set[FrameType]) -> None:
    """`below` collects the frames that have one of this package among their callers, or are one."""
    is_below = False
    while traceback is not None:
        frame = traceback.tb_frame
        # The traceback of what an error came of begins where that was caught, which can be in a library.
        is_below = is_below or frame in below or _is_ours(frame)
        if is_below:
            below.add(frame)
            if _is_ours(frame) or not (_is_the_shops(frame) or _hides_by_itself(frame)):
                with suppress(RuntimeError):  # it still runs: a function further out will clear it
                    frame.clear()
        traceback = traceback.tb_next


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).partition(".")[0] == PACKAGE


def _is_the_shops(frame: FrameType) -> bool:
    file = frame.f_globals.get("__file__") or frame.f_code.co_filename
    return not str(file).startswith(LIBRARIES)


def _hides_by_itself(frame: FrameType) -> bool:
    """Whether it is what Django's `sensitive_variables` has put around a function: reports look for it there."""
    return frame.f_code.co_name == "sensitive_variables_wrapper"
