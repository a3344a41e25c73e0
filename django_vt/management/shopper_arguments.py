"""The arguments that name a shopper: an address, or one of a visitor's ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandParser

from django_vt.exceptions import InvalidField
from django_vt.management import arguments
from django_vt.management.arguments import WrongArgument

ARGUMENTS = {"address": "EMAIL", "pixel": "--pixel", "vtsid": "--vtsid"}


def add_to(parser: CommandParser) -> None:
    """Add the arguments, of which exactly one must be given."""
    parser.add_argument(
        "email", metavar="EMAIL", nargs="?", help="The shopper's address; - reads it from standard input."
    )
    parser.add_argument(
        "--pixel",
        metavar="ID",
        help="A visitor's cookie _vt_user, or the user id that it begins with; either means all sessions.",
    )
    parser.add_argument("--vtsid", metavar="ID", help="A visitor's cookie _vtsid.")


def read(options: Mapping[str, Any]) -> dict[str, str | None]:
    """The given values, under the names that the operations use."""
    given = {"address": options["email"], "pixel": options["pixel"], "vtsid": options["vtsid"]}
    if [*given.values()].count(None) != len(given) - 1:
        raise WrongArgument("EMAIL", "give an e-mail address, or --pixel, or --vtsid: one of them")
    return {**given, "address": arguments.address("EMAIL", given["address"])}


@contextmanager
def as_arguments() -> Iterator[None]:
    """Turn an operation's `InvalidField` into an error of the field's argument."""
    try:
        yield
    except InvalidField as error:
        raise WrongArgument(ARGUMENTS[error.field], error.problem) from None
