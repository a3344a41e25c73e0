"""All Python that README.md and docs/ show runs, page by page, and its settings pass the system checks."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.core.checks import ERROR

from django_vt.checks import check_settings
from tests.docs import stage
from tests.docs.pages import DOCS, PAGES, ROOT, Code, code, title

pytestmark = pytest.mark.once

# The tutorial's is followed in a project of its own: test_tutorial.py.
WITH_CODE = [page for page in PAGES if code(page) and page != DOCS / "tutorial.md"]
ELSEWHERE = {"BACKEND", "DISPATCHER", "ENDPOINT", "TIMEOUT"}  # would take the events out of this process

ENVIRONMENT = {
    "SECRET_KEY": "not a secret",
    "VT_ACCOUNT_ID": "acc123",
    "DATABASE_URL": "postgres://shop:secret@database/shop",
    "CELERY_BROKER_URL": "redis://broker/0",
    "CHAT_WEBHOOK": "https://chat.example/hooks/1",
}


class Run:
    """The code of a page, run in its order in one namespace, but for what names a module of its own."""

    def __init__(self, settings: Any, fixture: Any) -> None:
        self._settings = settings
        names = ("INSTALLED_APPS", "MIDDLEWARE", "DATABASES")
        # A page may change what it finds there.
        project = {name: copy.deepcopy(getattr(django_settings, name)) for name in names}
        self._names = {**project, "BASE_DIR": ROOT, **stage.names(), "fixture": fixture, "settings": settings}

    def run(self, part: Code) -> None:
        names = self._module(part.module) if part.module else self._names
        names.pop("DJANGO_VT", None)
        # Lines as in the page, so that a traceback leads there.
        exec(compile("\n" * (part.line - 1) + part.text, str(part.page), "exec"), names)
        if "DJANGO_VT" in names:
            self._configure(names["DJANGO_VT"])

    def _module(self, name: str) -> dict[str, Any]:
        module = sys.modules.setdefault(name, ModuleType(name))
        setattr(sys.modules["shop"], name.partition(".")[2], module)
        return vars(module)

    def _configure(self, block: dict[str, Any]) -> None:
        self._settings.DJANGO_VT = block
        # Warnings speak of the project around it, such as django_vt.W003 of a backend that is not installed here.
        assert [message for message in check_settings() if message.level >= ERROR] == []
        self._settings.DJANGO_VT = {key: value for key, value in block.items() if key not in ELSEWHERE}


@pytest.fixture
def celery_as_it_was() -> Iterator[None]:
    """A Celery app that a page makes becomes the current one."""
    from celery import current_app

    before = current_app._get_current_object()
    yield
    before.set_current()


@pytest.fixture
def admin_as_it_was() -> Iterator[None]:
    """A page may register the shop's orders."""
    registry = admin.site._registry
    before = dict(registry)
    yield
    registry.clear()
    registry.update(before)


@pytest.fixture
def readers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables that the pages ask for."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("page", WITH_CODE, ids=title)
@pytest.mark.usefixtures("transactional_db", "celery_as_it_was", "admin_as_it_was", "readers_environment")
def test_the_code_of_a_page_runs(page, settings, request):
    with stage.shop_package():
        run = Run(settings, request.getfixturevalue)
        for part in code(page):
            run.run(part)


def test_the_pages_that_show_code_are_found():
    assert {"README.md", "docs/how-to/testing.md", "docs/how-to/adapter.md"} <= set(map(title, WITH_CODE))
