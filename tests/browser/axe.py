"""axe-core in the page that is open: what it finds, and what of that is Django's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selenium import webdriver

SOURCE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
RUN = """
    const [options, within, done] = arguments;
    const where = within ? [...document.querySelectorAll(within)] : document;
    axe.run(where, options).then(result => done(result.violations));
"""
# Those that look at colours. All others see the same on a light and on a dark screen.
OF_COLOURS = ("color-contrast", "link-in-text-block")


def findings(browser: webdriver.Chrome, *, colours_only: bool = False, within: str = "") -> list[str]:
    """What all of axe-core's rules find, best practices too, but for what Django itself has to answer for.

    `within`: a selector, to look at these parts of the page only.
    """
    assert SOURCE.is_file(), "axe-core is missing: make tests/browser/node_modules"
    if not browser.execute_script("return Boolean(window.axe)"):
        browser.execute_script(SOURCE.read_text(encoding="utf-8"))
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
    if colours_only:
        options["runOnly"] = {"type": "rule", "values": OF_COLOURS}
    violations = browser.execute_async_script(RUN, options, within)
    return [
        f"{violation['id']} at {target}: {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
        for target in [" ".join(map(str, node["target"]))]
        if not is_of_django(violation["id"], target)
    ]


def is_of_django(rule: str, target: str) -> bool:
    """Whether a finding is one of Django's own templates, in a part that this package leaves as it is."""
    return any(rule == theirs and target.startswith(start) for theirs, start in OF_DJANGO)


OF_DJANGO = [
    # Its built-in page for 403, which a site without a template of its own shows, is a heading and no more.
    ("landmark-one-main", "html"),
    ("region", "h1"),
    # Links of the breadcrumbs are told from their last word by colour alone; 6.1 made a list of them.
    ("link-in-text-block", ".breadcrumbs > "),
]
