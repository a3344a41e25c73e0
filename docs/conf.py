"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django  # noqa: E402 - found by the path above

django.setup()

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
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
# In the docstrings a single backtick is code, as in Markdown.
default_role = "code"

# Every name of this package must resolve. Python's and Django's are left without a link: a build needs no network.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(?!django_vt\.).*")]
