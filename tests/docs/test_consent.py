"""The consent that docs/how-to/consent.md shows, with the real django-cookie-consent."""

from __future__ import annotations

from types import ModuleType

import pytest
from cookie_consent.cache import delete_cache
from cookie_consent.models import Cookie, CookieGroup
from django.contrib.auth.models import User
from django.test import Client

from django_vt.models import SendLogEntry
from tests.docs import stage
from tests.docs.pages import DOCS, code
from tests.support.ordering import BUYER, PIXEL, PIXEL_COOKIE

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(autouse=True)
def _consent_as_the_page_shows_it(settings, db):
    """The page's module in the shop, its setting, and the shop's cookie groups as an admin would enter them."""
    delete_cache()
    for name in ("marketing", "statistics"):
        group = CookieGroup.objects.create(varname=name, name=name)
        Cookie.objects.create(cookiegroup=group, name=f"_{name}")
    settings.DJANGO_VT = {**settings.DJANGO_VT, "BEFORE_RECORD": "shop.consent.before_record"}
    with stage.shop_package() as modules:
        [shown] = [part for part in code(DOCS / "how-to" / "consent.md") if part.module == "shop.consent"]
        modules["shop.consent"] = module = ModuleType("shop.consent")
        modules["shop"].consent = module
        exec(shown.text, vars(module))
        yield
    delete_cache()


@pytest.fixture
def browser():
    browser = Client()
    browser.cookies["_vt_user"] = PIXEL_COOKIE
    return browser


def decide(browser, what, *groups):
    response = browser.post(f"/cookies/{what}/", {"cookie_groups": groups})
    assert response.status_code == 302


def buy(browser):
    assert browser.post("/buy/", {"number": "100023", "email": BUYER}).content == b"100023"


def test_a_visitor_who_was_not_asked_yet_leaves_no_trace(browser):
    buy(browser)
    assert not SendLogEntry.objects.exists()


def test_a_visitor_who_accepts_is_reported(browser):
    decide(browser, "accept", "marketing")
    buy(browser)
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form


def test_consent_to_something_else_is_none(browser):
    decide(browser, "accept", "statistics")
    decide(browser, "decline", "marketing")
    buy(browser)
    assert not SendLogEntry.objects.exists()


def test_consent_that_was_withdrawn_is_none(browser):
    decide(browser, "accept", "marketing")
    decide(browser, "decline", "marketing")
    buy(browser)
    assert not SendLogEntry.objects.exists()


def test_a_new_cookie_in_the_group_asks_for_consent_anew(browser):
    decide(browser, "accept", "marketing")
    Cookie.objects.create(cookiegroup=CookieGroup.objects.get(varname="marketing"), name="_later")
    buy(browser)
    assert not SendLogEntry.objects.exists()


@pytest.mark.parametrize(("what", "recorded"), [("accept", 1), ("decline", 0)])
def test_a_login_is_asked_for_like_anything_else(browser, what, recorded):
    User.objects.create_user("ana", BUYER, "secret")
    decide(browser, what, "marketing")
    assert browser.post("/login/", {"username": "ana", "password": "secret"}).status_code == 302
    assert SendLogEntry.objects.filter(event_type="login").count() == recorded
