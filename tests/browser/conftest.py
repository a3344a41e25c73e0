"""Debian's Chromium, headless: one for all tests, with nothing remembered from one to the next."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from selenium import webdriver

from django_vt.admin import filters
from tests.browser.camera import Camera
from tests.browser.looks import LIGHT_DESK, wear
from tests.browser.staff import Staff
from tests.conftest import Clock


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep-pictures", action="store_true", help="write the pictures of the pages: make screenshots")


QUIET = (
    "--headless=new",
    "--no-sandbox",  # as root, as in CI, it has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--lang=en-US",
)


@pytest.fixture(scope="session")
def chromium(
    django_db_setup: None, live_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[webdriver.Chrome]:
    """Ends before the server does, whose connections it keeps; that one begins when it sees the tests' database."""
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium")
    for argument in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(program("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def browser(chromium: webdriver.Chrome) -> webdriver.Chrome:
    """Light, as wide as a desk's, on no page, without cookies, storage or messages."""
    origin = chromium.execute_script("return location.origin")
    if origin.startswith("http"):
        chromium.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
    chromium.get("about:blank")
    wear(chromium, LIGHT_DESK)
    chromium.get_log("browser")
    return chromium


@pytest.fixture(scope="session")
def camera(pytestconfig: pytest.Config) -> Camera:
    return Camera(keeps=pytestconfig.getoption("--keep-pictures"))


def program(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is missing: install Debian's chromium and chromium-driver"
    return path


@pytest.fixture
def _noon(clock: Clock, settings: Any) -> Iterator[None]:
    """What pages say of time is the same in every run. Nothing is delivered: what is queued stays queued."""
    clock.now = datetime.datetime(2026, 11, 23, 10, 24, tzinfo=datetime.timezone.utc)
    settings.DJANGO_VT = {"ACCOUNT_ID": "acc123", "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}
    filters.forget()
    yield
    filters.forget()


@pytest.fixture
def staff(browser: webdriver.Chrome, live_server: Any, _noon: None) -> Callable[..., Staff]:
    """A member of staff at the browser, logged in, with the permissions given."""

    def log_in(*codenames: str) -> Staff:
        user = User.objects.create_user("anna", password="x", is_staff=True)
        permissions = Permission.objects.filter(content_type__app_label="django_vt", codename__in=codenames)
        assert len(permissions) == len(codenames)
        user.user_permissions.set(permissions)
        client = Client()
        client.force_login(user)
        browser.get(f"{live_server.url}/static/django_vt/admin.css")
        browser.add_cookie({"name": "sessionid", "value": client.cookies["sessionid"].value})
        return Staff(browser, live_server.url)

    return log_in
