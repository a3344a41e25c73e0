"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django  # noqa: E402 - found by the path above

django.setup()

from sphinx.application import Sphinx  # noqa: E402

import django_vt  # noqa: E402

project = "django-vt"
author = "django-vt contributors"
version = release = django_vt.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "command_help"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"django-vt {release}"
html_static_path = ["_static"]
html_show_copyright = False

myst_enable_extensions = ["deflist", "attrs_inline"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 88

# Every name of this package must resolve. Python's and Django's are left without a link: a build needs no network.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!django_vt\.).*")]
nitpick_ignore = [
    # Told by its columns, in reference/send-log.md.
    ("py:class", "django_vt.models.send_log.SendLogEntry"),
    # What the stand-in gives to a misbehaviour.
    ("py:class", "django_vt.testing.fake_vendor.server.Exchange"),
]


def read_backticks_as_markdown(*event: Any) -> None:
    """The docstrings say `code`, and `Item`s; reStructuredText wants ``code``, and a blank that is not shown."""
    lines: list[str] = event[-1]
    for index, line in enumerate(lines):
        lines[index] = re.sub(
            r"(?<!`)`([^`]+)`(?!`)(?=(\w?))", lambda code: f"``{code[1]}``" + "\\ " * bool(code[2]), line
        )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", read_backticks_as_markdown)
