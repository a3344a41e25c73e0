"""What the numbers were measured on: the system, the processor, the versions; no names of hosts or people."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.db import connections

PACKAGES = (
    "Django",
    "requests",
    "psycopg",
    "mysqlclient",
    "posthog",
    "segment-analytics-python",
    "mixpanel",
    "django-post-office",
)


def description(nginx: str) -> str:
    """A Markdown list."""
    packages = [f"{name} {version(name)}" for name in (*PACKAGES, "django-mailer")]
    databases = dict.fromkeys(_database(alias) for alias in connections)
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    facts = {
        "System": _system(),
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Load at the start (1, 5, 15 minutes)": load,
        "Python": platform.python_version(),
        "Databases": ", ".join(databases),
        "nginx": nginx,
        "Packages": ", ".join(packages),
    }
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items()) + "\n"


def _database(alias: str) -> str:
    connection: Any = connections[alias]
    if connection.vendor == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    return f"{connection.display_name} {'.'.join(map(str, connection.get_database_version()))}"


def _system() -> str:
    name = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{name}, {platform.machine()}"


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else "unknown"
