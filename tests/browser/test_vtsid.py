"""In a real browser, under a policy that runs no script but those with the page's nonce."""

from __future__ import annotations

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from django_vt.identity import VTSID_PATTERN
from django_vt.models import SendLogEntry
from tests.browser.leaving import leaves_the_page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.process, pytest.mark.browser]

QUEUE = "return window._vteq"


def violations(browser: webdriver.Chrome) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if "Content Security Policy" in entry["message"]]


def test_the_policy_is_strict(browser, live_server):
    browser.get(f"{live_server.url}/blocked/")
    assert browser.execute_script("return window.ran") is None
    assert violations(browser)


def test_the_page_hands_the_visitors_new_id_to_the_vendors_queue_and_the_order_carries_the_same(browser, live_server):
    browser.get(f"{live_server.url}/")
    vtsid = browser.get_cookie("_vtsid")["value"]
    assert VTSID_PATTERN.fullmatch(vtsid)
    assert browser.execute_script(QUEUE) == [{"identify": {"_vtsid": vtsid}}]
    assert violations(browser) == []

    with leaves_the_page(browser):
        browser.find_element(By.TAG_NAME, "button").click()
    assert browser.find_element(By.TAG_NAME, "body").text == "100023"
    entry = SendLogEntry.objects.get(event_type="confirmation")
    assert entry.event["_vtsid"] == vtsid
    assert not {"userId", "sessionId", "email"} & set(entry.event)


def test_the_cookie_is_readable_by_scripts_and_lax(browser, live_server):
    browser.get(f"{live_server.url}/")
    cookie = browser.get_cookie("_vtsid")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (False, "Lax", "/")


def test_the_id_stays_the_same_on_the_next_page(browser, live_server):
    browser.get(f"{live_server.url}/")
    first = browser.execute_script(QUEUE)
    browser.get(f"{live_server.url}/")
    assert browser.execute_script(QUEUE) == first


def test_a_visitor_without_the_cookie_has_nothing_in_the_queue(browser, live_server, settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ISSUE_VTSID": False}
    browser.get(f"{live_server.url}/")
    assert browser.execute_script(QUEUE) is None
    assert violations(browser) == []


def test_other_cookies_do_not_confuse_it(browser, live_server, settings):
    browser.get(f"{live_server.url}/blocked/")
    browser.delete_all_cookies()
    browser.add_cookie({"name": "not_vtsid", "value": "another"})
    browser.add_cookie({"name": "_vtsid", "value": "site-1.~_"})
    browser.add_cookie({"name": "later", "value": "_vtsid=third"})
    browser.get(f"{live_server.url}/")
    assert browser.execute_script(QUEUE) == [{"identify": {"_vtsid": "site-1.~_"}}]
