"""What the app does to a project's start: it imports nothing heavy, and asks the database nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.process, pytest.mark.any_database]

HEAVY = ["celery", "django_tasks", "kombu", "requests", "sentry_sdk", "urllib3"]
START = """
import sys
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_vt"],
    MIDDLEWARE=["django_vt.middleware.VTIdentityMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DJANGO_VT={"ACCOUNT_ID": "acc123"},
    USE_TZ=True,
)
import django
from django.db.backends.base.base import BaseDatabaseWrapper

def connect(self):
    raise AssertionError("a database connection was opened")

BaseDatabaseWrapper.connect = connect
django.setup()
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", HEAVY)
def test_setting_django_up_does_not_import(module):
    assert run(f"print({module!r} in sys.modules)") == "False"


def test_setting_django_up_opens_no_connection():
    assert run("from django_vt.models import SendLogEntry; print(SendLogEntry._meta.app_label)") == "django_vt"


def test_a_connection_at_the_start_would_be_noticed():
    with pytest.raises(AssertionError, match="a database connection was opened"):
        run("from django_vt.models import Endpoint; Endpoint.objects.exists()")


def test_the_middleware_is_loaded_without_what_delivers():
    loaded = run(
        "from django.utils.module_loading import import_string\n"
        "import_string(settings.MIDDLEWARE[0])(lambda request: None)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert loaded == "[]"
