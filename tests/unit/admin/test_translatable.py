"""Everything that staff can see can be translated: each page in a language that marks what it has translated."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.template.base import Lexer, TokenType

from tests.support.people import CANARY
from tests.translations import marked
from tests.translations.catalogues import PACKAGE
from tests.unit.admin.conftest import FORGET, PEOPLE, RESEND, VIEW
from tests.unit.admin.scenes import ADDRESS, SCENES, Stage

pytestmark = [pytest.mark.any_database, pytest.mark.newest, pytest.mark.unmeasured]

# What stands on the pages as it is: the log's own data, and what is the vendor's or the protocol's.
DATA = (
    ADDRESS,
    CANARY,
    "email:",
    "pixel:",
    "confirmation",
    "login",
    "acc123",
    "too old",
    "anna",
    VIEW,
    RESEND,
    PEOPLE,
    FORGET,
)
# What is translated, and what is for style sheets.
PASSED = ("blocktranslate", "block bodyclass")
TEMPLATES = sorted(PACKAGE.rglob("*.html"))


@pytest.fixture(scope="module")
def catalogue():
    return marked.Marked()


@pytest.fixture
def _language_of_marks(catalogue, settings, tmp_path):
    catalogue.compile_into(tmp_path)
    settings.LANGUAGES = [(marked.LANGUAGE, "Marked")]
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGE_CODE = marked.LANGUAGE


@pytest.fixture
def perform(_language_of_marks, log_in, record, monkeypatch):
    """The pages of a scene, on a site in the language of marks. What the scene has changed is as before then."""
    client = log_in(VIEW, RESEND, PEOPLE, FORGET)

    def perform(scene) -> list[str]:
        with transaction.atomic(), monkeypatch.context() as patch:
            pages = [page(response) for response in scene(Stage(client, record, patch))]
            transaction.set_rollback(True)
        return pages

    return perform


def page(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def untranslated(text: str) -> list[str]:
    """The words of a page that no translation reaches."""
    found = []
    for shown in marked.Shown(text).texts:
        left = marked.unmarked(shown)
        for known in DATA:
            left = left.replace(known, "")
        if marked.LETTERS.search(left):
            found.append(left.strip())
    return found


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_nothing_on_a_page_is_left_untranslated(scene, perform):
    pages = perform(scene)
    assert pages
    assert [untranslated(text) for text in pages] == [[] for _page in pages]
    assert all("⟦" in text for text in pages)


def test_the_scenes_show_every_string_there_is(catalogue, perform):
    """A string that none of them shows is read by nobody here: the scene that shows it is to be added."""
    assert catalogue.never_in([text for scene in SCENES for text in perform(scene)]) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_words_of_its_own(path):
    """Also in branches that no scene comes to."""
    assert untranslated(own_words(path.read_text(encoding="utf-8"))) == []


def own_words(source: str) -> str:
    """A template without its tags and what they translate."""
    kept, passing = [], False
    for token in Lexer(source).tokenize():
        if token.token_type == TokenType.BLOCK:
            passing = token.contents.startswith(PASSED) or (passing and not token.contents.startswith("end"))
        elif token.token_type == TokenType.TEXT and not passing:
            kept.append(token.contents)
    return "".join(kept)


def test_words_without_marks_are_found_wherever_they_are_read():
    text = """
        <p>⟦1|Sent ⟦2|4 minutes⟧ ago⟧ <b>by hand</b> acc123 1,234</p> <pre>GET /</pre> <script>var found;</script>
        <input type="submit" value="Go"> <input type="hidden" value="no"> <svg aria-label="Bars" class="chart"></svg>
    """
    assert untranslated(text) == ["by hand", "Go", "Bars"]
    template = "{% if a %}No{% endif %}{{ b }}{% blocktranslate %}c{% endblocktranslate %}"
    assert untranslated(own_words(template)) == ["No"]
