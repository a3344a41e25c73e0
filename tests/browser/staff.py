"""A member of staff at the browser, with a mouse."""

from __future__ import annotations

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.leaving import leaves_the_page
from tests.support.people import url

BUTTON = "//input[@type='submit' and (normalize-space(@value)={0} or @aria-label={0})]"


class Staff:
    """What somebody does, in the page's own words."""

    def __init__(self, browser: webdriver.Chrome, site: str) -> None:
        self.browser = browser
        self._site = site

    def open(self, name: str, *args: object, query: str = "") -> None:
        """Opens a page of the send log: `open("change", 7)`."""
        self.browser.get(self._site + url(name, *args) + query)

    def press(self, label: str) -> None:
        """Presses a button, and waits for the page that it leads to."""
        self._leave_by(self.browser.find_element(By.XPATH, BUTTON.format(f'"{label}"')))

    def follow(self, text: str) -> None:
        """Follows a link, to the page that it leads to."""
        self._leave_by(self.browser.find_element(By.XPATH, f"//a[normalize-space()='{text}']"))

    def look_up(self, text: str) -> None:
        """Searches for it."""
        self.browser.find_element(By.ID, "searchbar").send_keys(text)
        self.press("Search")

    def unfold(self, summary: str) -> None:
        """Opens what is folded under these words, and what that is folded in."""
        wanted = self.browser.find_element(By.XPATH, f"//summary[normalize-space()='{summary}']")
        for folded in wanted.find_elements(By.XPATH, "../ancestor::details[not(@open)]/summary"):
            folded.click()
        wanted.click()

    def act_on_entries(self, count: int) -> None:
        """Ticks the first ones of the list, chooses to send them again, and goes on."""
        for box in self.browser.find_elements(By.CSS_SELECTOR, "#result_list .action-select")[:count]:
            box.click()
        self.browser.find_element(By.CSS_SELECTOR, "select[name=action] option[value=send_again]").click()
        # Labelled Go, or Run from Django 6.1 on.
        self._leave_by(self.browser.find_element(By.CSS_SELECTOR, ".actions button[name=index]"))

    def reads(self, selector: str = "#content") -> str:
        """The text of a part of the page, as it is shown."""
        return self.browser.find_element(By.CSS_SELECTOR, selector).text

    def _leave_by(self, element: WebElement) -> None:
        for folded in element.find_elements(By.XPATH, "ancestor::details[not(@open)]/summary"):
            folded.click()
        with leaves_the_page(self.browser):
            element.click()
