"""What recording tells the log: a handler or a filter of the project's that raises costs the line, and no order."""

from __future__ import annotations

import logging
from contextlib import suppress


def tell(logger: logging.Logger, level: int, words: str, *arguments: object) -> None:
    """Log it; nothing where the log raises, as a handler may whose disk or database is away. Nobody else is there."""
    with suppress(Exception):
        logger.log(level, words, *arguments, stacklevel=2)
