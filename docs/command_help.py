"""The directive `command-help`: what `manage.py <command> --help` prints, asked of the command itself."""

from __future__ import annotations

from typing import Any

from django.core.management import load_command_class
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

OWN_TO_DJANGO = (
    "--version",
    "-v",
    "--settings",
    "--pythonpath",
    "--traceback",
    "--no-color",
    "--force-color",
    "--skip-checks",
)


class CommandHelp(SphinxDirective):
    """`{command-help} send_pending`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A block with the help, without the options that every Django command has."""
        text = help_of(self.arguments[0])
        return [nodes.literal_block(text, text, language="text")]


def help_of(name: str) -> str:
    """The command's help, as wide as a page."""
    parser = load_command_class("django_vt", name).create_parser("manage.py", name)
    # argparse lends its actions by no other name.
    kept = [action for action in parser._actions if not {*OWN_TO_DJANGO} & set(action.option_strings)]  # noqa: SLF001
    formatter = parser.formatter_class(prog=parser.prog, width=84)
    formatter.add_usage(None, kept, [])
    formatter.add_text(parser.description)
    for title, wanted in (("arguments", False), ("options", True)):
        formatter.start_section(title)
        formatter.add_arguments(action for action in kept if bool(action.option_strings) is wanted)
        formatter.end_section()
    return formatter.format_help()


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
