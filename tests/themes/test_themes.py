"""The send log's pages in another theme of the admin: they open, fit, and what is ours in them can be seen and used."""

from __future__ import annotations

import pytest
from django.conf import settings
from selenium.webdriver.common.by import By

from tests.browser import axe
from tests.browser.looks import DARK_DESK, LIGHT_DESK, LIGHT_PHONE, wear
from tests.browser.pages import PAGES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, pytest.mark.themes]

THEME = settings.INSTALLED_APPS[0]
OURS = "[class^='vt-'], [class*=' vt-'], #result_list .vt-status"
# Grappelli's pages are as wide on a phone as on a desk: they have no viewport.
LOOKS = [LIGHT_DESK, DARK_DESK, *([] if THEME == "grappelli" else [LIGHT_PHONE])]
WIDTH = "return document.documentElement.scrollWidth"


def width(browser, look):
    """Of the page; Chromium may lay it out anew some frames after its screen has changed."""
    measured = browser.execute_script(WIDTH)
    if measured > look.width:
        wear(browser, look)
        measured = browser.execute_script(WIDTH)
    return measured


# To these leads what every theme has in a place of its own: the list's actions, the link to the history, folded groups.
BY_THE_THEME = {"resend-chosen", "entry-history", "entry-sent-unmasked"}


@pytest.mark.parametrize("name", sorted(PAGES.keys() - BY_THE_THEME))
def test_a_page_opens_and_scrolls_sideways_nowhere(name, staff, camera):
    browser = PAGES[name].show(staff).browser
    for look in LOOKS:
        wear(browser, look)
        camera.take(browser, f"{THEME}-{name}", look)
        assert width(browser, look) <= look.width, look.name
    assert "Server Error" not in browser.find_element(By.TAG_NAME, "body").text


@pytest.mark.parametrize("name", ["list", "entry-failed", "resend-reason", "person-found"])
def test_what_is_ours_can_be_told_from_its_ground(name, staff):
    """Colours, and names for what is pressed or filled in: the rest of the page is the theme's own."""
    browser = PAGES[name].show(staff).browser
    assert axe.findings(browser, within=OURS) == []


def test_the_filters_are_there_and_the_search_is_too(staff):
    browser = PAGES["list"].show(staff).browser
    assert browser.find_element(By.ID, "searchbar").is_displayed()
    assert browser.find_elements(By.CSS_SELECTOR, "[href*='status=failed'], [value='failed'], [data-name='status']")


def test_the_chart_has_the_colours_of_its_legend(staff):
    reader = PAGES["list-unfolded"].show(staff)
    fills = reader.browser.execute_script("""
        return ['sent', 'failed', 'skipped'].map(
            status => getComputedStyle(document.querySelector(`.vt-chart .vt-${status}`)).fill);
    """)
    assert len(set(fills)) == len(fills)
    assert "rgb(0, 0, 0)" not in fills
