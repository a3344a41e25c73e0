"""Waiting for the page that a press or a click leads to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE = 60  # seconds, after which a page is taken not to come


@contextmanager
def leaves_the_page(browser: webdriver.Chrome) -> Iterator[None]:
    """What is done inside leads to another page, or to this one anew: goes on when that one is there.

    A mark on the window tells, not an element gone stale: asked for an element while the page changes, ChromeDriver may
    answer with an error that is not the one for a stale element. What it raises for the moment of the change is passed
    over; a page that doesn't come is a time-out.
    """
    browser.execute_script("window.isTheOldPage = true")
    yield
    WebDriverWait(browser, PATIENCE, ignored_exceptions=[WebDriverException]).until(
        lambda browser: browser.execute_script("return !window.isTheOldPage && document.readyState === 'complete'")
    )
