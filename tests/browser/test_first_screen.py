"""What staff see before they scroll: the search box, the newest entries, and every column of the list."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.keyboard import Keyboard
from tests.browser.looks import Look, wear
from tests.browser.pages import PAGES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, pytest.mark.browser]

DESK, PHONE = Look("small desk", 1280, 800), Look("tall phone", 390, 844)
FARTHEST_SEARCH, FARTHEST_ROW = 8, 15
PLACES = """
    const place = element => element.getBoundingClientRect();
    const rows = [...document.querySelectorAll('#result_list tbody tr')];
    return {
        search: place(document.querySelector('#searchbar')).bottom,
        row: place(rows[0]).bottom,
        beyond: rows.flatMap(row => [...row.children]).filter(cell => place(cell).right > innerWidth).length,
        scrolls: [document.documentElement, document.querySelector('#changelist-form .results')]
            .some(box => box.scrollWidth > box.clientWidth),
    };
"""


@pytest.mark.parametrize("look", [DESK, PHONE], ids=lambda look: look.name)
@pytest.mark.parametrize("language", ["en", "ro"])
@pytest.mark.parametrize("name", ["list", "list-outage", "list-held"])
def test_search_and_the_newest_entry_are_on_the_first_screen_with_every_column(name, language, look, staff, settings):
    settings.LANGUAGE_CODE = language
    browser = PAGES[name].show(staff).browser
    wear(browser, look)
    found: Any = browser.execute_script(PLACES)
    assert found["search"] < look.height
    assert found["row"] < look.height
    assert (found["beyond"], found["scrolls"]) == (0, False)


def test_on_a_phone_each_row_is_a_card(staff):
    browser = PAGES["list"].show(staff).browser
    wear(browser, PHONE)
    below = browser.execute_script("""
        const [when, event, why] = ['when', 'event', 'why'].map(
            name => document.querySelector(`#result_list tbody .field-${name}`).getBoundingClientRect());
        return event.top >= when.bottom && why.top >= event.bottom;
    """)
    assert below


def test_by_keyboard_the_search_box_and_the_first_row_are_near(staff):
    browser = PAGES["list"].show(staff).browser
    person = Keyboard(browser)
    focus = "return document.activeElement.matches(arguments[0])"
    for selector, farthest in (("#searchbar", FARTHEST_SEARCH), ("#result_list tbody .field-when a", FARTHEST_ROW)):
        presses = 0
        while not browser.execute_script(focus, selector):
            person.press(Keys.TAB)
            presses += 1
            assert presses <= farthest, selector
