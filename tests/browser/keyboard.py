"""Somebody at the browser who has a keyboard and nothing else."""

from __future__ import annotations

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser.leaving import leaves_the_page

FARTHEST = 150  # presses of Tab, after which something is taken to be out of reach


class Keyboard:
    """Goes to things by Tab, by the name that a screen reader would say, and never clicks."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser

    def go_to(self, name: str) -> WebElement:
        """Presses Tab until something of this name has the focus."""
        passed = []
        for _ in range(FARTHEST):
            self.press(Keys.TAB)
            focused = self.browser.switch_to.active_element
            # Django's stylesheet writes some in capitals, and that counts as their name.
            if (found := focused.accessible_name).casefold() == name.casefold():
                assert self._has_visible_focus(focused), f"nothing shows that {name!r} has the focus"
                return focused
            passed.append(found)
        raise AssertionError(f"Tab does not lead to {name!r}, only to {passed}")

    def type(self, name: str, text: str) -> None:
        """Types into the field of this name."""
        self.go_to(name)
        self.press(text)

    def enter(self, name: str) -> None:
        """Presses Enter on a link or a button, and waits for the page that comes."""
        self.go_to(name)
        with leaves_the_page(self.browser):
            self.press(Keys.ENTER)

    def press(self, *keys: str) -> None:
        """Presses keys where the focus is."""
        ActionChains(self.browser).send_keys(*keys).perform()

    def reads(self, text: str) -> bool:
        """Whether the page shows this."""
        return text in self.browser.find_element(By.TAG_NAME, "body").text

    def _has_visible_focus(self, element: WebElement) -> bool:
        """Not exactly how: an outline, or a look that it has not without the focus."""
        return bool(
            self.browser.execute_script(
                """
                const look = element => {
                    const style = getComputedStyle(element);
                    return [style.outline, style.boxShadow, style.border, style.backgroundColor, style.color,
                            style.textDecoration].join();
                };
                const [element] = arguments, end = () => document.getAnimations().forEach(one => one.finish());
                end();
                const focused = look(element);
                element.blur();
                end();
                const blurred = look(element);
                element.focus({focusVisible: true});
                return focused !== blurred;
                """,
                element,
            )
        )
