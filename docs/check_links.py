"""`python docs/check_links.py docs/_build/html`: every link within the built pages leads somewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        for name, value in attrs:
            if value and name in {"href", "src"}:
                self.links.add(value)
            elif value and name in {"id", "name"}:
                self.anchors.add(value)


read = cache(Page)


def broken_links(folder: Path) -> Iterator[str]:
    """A line for each link that leads nowhere."""
    for path in sorted(folder.rglob("*.html")):
        for link in sorted(read(path).links):
            if not leads_somewhere(path, link):
                yield f"{path.relative_to(folder)}: {link}"


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether the target is there; links to other hosts are not looked at."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return False
    return not parts.fragment or target.suffix != ".html" or unquote(parts.fragment) in read(target).anchors


def main() -> None:
    """Exit with 1 where a link is broken."""
    folder = Path(sys.argv[1]).resolve()
    broken = list(broken_links(folder))
    if broken:
        sys.exit("Links that lead nowhere:\n" + "\n".join(broken))


if __name__ == "__main__":
    main()
