"""The base class of the commands: `--database`, plain errors, and silence with `--verbosity 0`."""

from __future__ import annotations

import abc
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connections

from django_vt.discretion import discreetly
from django_vt.management.arguments import WrongArgument
from django_vt.models.db import commit_each_statement, default_alias


class SendLogCommand(BaseCommand, abc.ABC):
    """Works on the send log of one database. It runs only this app's system checks, because cron calls it often."""

    requires_system_checks: tuple[str, ...] = ("django_vt",)
    quiet = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--database`, which every command has."""
        parser.add_argument(
            "--database",
            metavar="ALIAS",
            help="The send log's database, by default the one to which the project's routers write it.",
        )

    @discreetly
    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command with `discreetly`, because a project may call it from a view."""
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Call `work`, and turn database errors into plain messages."""
        self.quiet = options["verbosity"] == 0
        using = _existing_alias(options["database"])
        try:
            commit_each_statement(using)
            self.work(using, options)
        except Error as error:
            # Drop the text and the traceback: they can show a row with personal data.
            raise CommandError(
                f'The send log on the database "{using}" cannot be used ({type(error).__name__}). '
                "Is the database there, and has `manage.py migrate` made its tables?"
            ) from None

    @abc.abstractmethod
    def work(self, using: str, options: dict[str, Any]) -> None:
        """Do the command's work on the database `using`."""

    def say(self, text: str) -> None:
        """Print a line, but not with `--verbosity 0`."""
        if not self.quiet:
            self.stdout.write(text)
            self.stdout.flush()


def _existing_alias(given: str | None) -> str:
    alias = given or default_alias()
    if alias not in connections:
        raise WrongArgument("--database", f"there is no such database; the project has {', '.join(connections)}")
    return alias
