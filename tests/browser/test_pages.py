"""Every page of the send log in a real browser: accessible, whole on a phone, and content with a strict policy."""

from __future__ import annotations

from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.browser import axe
from tests.browser.camera import Camera
from tests.browser.leaving import leaves_the_page
from tests.browser.looks import DARK_PHONE, LIGHT_DESK, LIGHT_PHONE, LOOKS, wear
from tests.browser.pages import PAGES
from tests.browser.pictures import LARGEST, PICTURES

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, pytest.mark.browser]

WIDTH = "return document.documentElement.scrollWidth"
# On these two every rule is asked, on the other two those of colours.
OPPOSITES = {LIGHT_DESK, DARK_PHONE}
RIGHT_TO_LEFT = ("list-outage", "entry-failed", "resend-done")


def complaints(browser: webdriver.Chrome) -> list[str]:
    """What the browser's console holds: refused by the policy, not found, failed."""
    return [entry["message"] for entry in browser.get_log("browser")]


def faults(browser: webdriver.Chrome, camera: Camera, name: str) -> list[str]:
    """What is wrong with the open page on each screen, each of which is photographed."""
    found = []
    for look in LOOKS:
        wear(browser, look)
        colours_only = look not in OPPOSITES
        found += [f"{look.name}: {finding}" for finding in axe.findings(browser, colours_only=colours_only)]
        if (width := browser.execute_script(WIDTH)) > look.width:
            found.append(f"{look.name}: the page is {width} pixels wide")
        sizes = camera.take(browser, name, look)
        found += [f"{look.name}: a picture of {size} bytes" for size in sizes if size > LARGEST]
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_light_and_dark_and_fits_a_desk_and_a_phone_under_a_strict_policy(name, staff, camera):
    browser = PAGES[name].show(staff).browser
    assert complaints(browser) == []
    assert faults(browser, camera, name) == []


@pytest.mark.newest
@pytest.mark.parametrize("name", RIGHT_TO_LEFT)
def test_from_right_to_left_it_is_as_good(name, staff, camera, settings):
    settings.LANGUAGE_CODE = "ar"
    browser = PAGES[name].show(staff).browser
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("dir") == "rtl"
    assert complaints(browser) == []
    assert faults(browser, camera, f"{name}-right-to-left") == []


def test_the_documentation_s_pictures_are_of_these_pages():
    assert {picture.page for picture in PICTURES} <= set(PAGES)


def test_who_may_not_see_the_log_sees_none_of_it(staff):
    browser = staff().browser
    browser.get(browser.current_url.partition("/static/")[0] + "/admin/django_vt/sendlogentry/")
    assert browser.find_element(By.TAG_NAME, "body").text.strip() == "403 Forbidden"
    assert axe.findings(browser) == []


@pytest.mark.parametrize(("language", "newest_is"), [("en", "right"), ("ar", "left")])
def test_the_chart_runs_as_the_reader_does(language, newest_is, staff, settings):
    settings.LANGUAGE_CODE = language
    # Arabic has no translation of ours: what is Django's own is in it, and the direction.
    reader = PAGES["list-outage"].show(staff)
    reader.unfold("Figures, and holding")
    browser = reader.browser
    centre = browser.execute_script("""
        const chart = document.querySelector('.vt-chart').getBoundingClientRect();
        const bars = [...document.querySelectorAll('.vt-chart rect')].map(bar => bar.getBoundingClientRect());
        const labels = [...document.querySelectorAll('.vt-axis span')].map(label => label.getBoundingClientRect());
        return [bars.at(-1).left - chart.left > chart.width / 2, labels[1].left > labels[0].left];
    """)
    assert centre == [newest_is == "right"] * 2


def test_the_chart_has_a_text_alternative(staff):
    reader: Any = PAGES["list-figures"].show(staff)
    chart = reader.browser.find_element(By.CSS_SELECTOR, ".vt-chart")
    assert (chart.aria_role, chart.accessible_name) == ("image", "Bars for the figures in the table that follows")
    rows = reader.browser.find_elements(By.CSS_SELECTOR, ".vt-overview details tbody tr")
    assert len(rows) == 24
    assert sum(int(cell.text) for row in rows for cell in row.find_elements(By.TAG_NAME, "td")) == 12


def test_a_figure_leads_to_its_entries_without_scrolling(staff):
    wear((reader := PAGES["list"].show(staff)).browser, LIGHT_PHONE)
    reader.unfold("Figures, and holding")
    with leaves_the_page(reader.browser):
        reader.browser.find_element(By.CSS_SELECTOR, "#vt-failures ~ * td a").click()
    top = reader.browser.execute_script("return document.querySelector('#changelist').getBoundingClientRect().top")
    assert 0 <= round(top) < LIGHT_PHONE.height / 2


def test_all_that_failed_for_a_reason_are_sent_again_in_one_confirmed_step(staff):
    reader = PAGES["resend-reason"].show(staff)
    assert "All that failed for this reason: Vibetrace refused it (answer 400) (Last 24 hours)." in reader.reads()
    count = reader.reads("#content-main").partition(" entries will be queued")[0].split()[-1]
    reader.press("Yes, send again")
    assert f"{count} entries are queued to be sent again." in reader.reads("ul.messagelist")
    reader.unfold("Figures, and holding")
    assert "answer 400" not in reader.reads(".vt-overview")


def test_what_lies_beyond_the_bound_is_called_more(staff, monkeypatch):
    monkeypatch.setattr("django_vt.models.functions.LIMIT", 100)
    reader = PAGES["list"].show(staff)
    assert "more than 100 entries" in reader.reads("#changelist")
    reader.unfold("Figures, and holding")
    assert "more than 100" in reader.reads(".vt-overview")


def test_the_address_is_masked_until_asked_for(staff):
    reader = PAGES["entry-sent"].show(staff)
    request = "#content .field-request"
    assert '"email":"a***@***"' in reader.reads(request)
    assert "ada@example.com" not in reader.reads(request)
    reader.unfold("Show it unmasked")
    assert "ada@example.com" in reader.reads(request)
