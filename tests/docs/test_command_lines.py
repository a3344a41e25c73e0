"""The command lines in README.md and docs/ are ones that the commands understand."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest
from django.core.management import find_commands, load_command_class

from tests.docs.pages import DOCS, PAGES, ROOT, text

pytestmark = pytest.mark.once

OWN = set(find_commands(str(ROOT / "django_vt" / "management")))
DEPLOYMENT = sorted((DOCS / "how-to" / "deployment").iterdir())
# In a shell, in a unit, in cron; and in a compose file, where it is a list.
CRONTAB = re.compile(r"^ +(?:[*/\d]+ +){5}(\S+) ", re.MULTILINE)
TYPED = re.compile(r"manage\.py,? (\w+)([^\n|>`\]]*)")


def command_lines() -> Iterator[object]:
    for path in (*PAGES, *DEPLOYMENT):
        for name, rest in TYPED.findall(text(path)):
            if name in OWN:
                yield pytest.param(name, shlex.split(rest.replace(",", " ")), id=f"{path.name}: {name}{rest}")


@pytest.mark.parametrize(("name", "arguments"), list(command_lines()))
def test_a_command_line_is_understood(name, arguments):
    load_command_class("django_vt", name).create_parser("manage.py", name).parse_args(arguments)


def test_workers_in_containers_and_under_systemd_are_told_to_go_on():
    assert "send_pending --forever" in text(DOCS / "how-to" / "deployment" / "django-vt.service")
    assert "[python, manage.py, send_pending, --forever]" in text(DOCS / "how-to" / "workers.md")


def test_cron_is_told_where_the_shop_s_python_is():
    lines = [python for page in PAGES for python in CRONTAB.findall(text(page))]
    assert len(lines) >= 5
    assert set(lines) == {"/path/to/venv/bin/python"}
