"""Each language that the package brings says all that the code and the templates say, and nothing else."""

from __future__ import annotations

import io
from typing import Any

import pytest
from babel.messages.pofile import read_po
from babel.plural import PluralRule

from tests.translations import __main__ as make_messages
from tests.translations import catalogues

pytestmark = [pytest.mark.any_database, pytest.mark.ends]

LANGUAGES = catalogues.languages()


@pytest.fixture(scope="module")
def found():
    return catalogues.extracted()


def catalogue_of(text: str):
    return read_po(io.BytesIO(text.encode()), locale="ro")


def catalogue_and_template(entry: str, text: object = "sent"):
    """A catalogue with one entry, and what the code would say."""
    template = catalogues.begun("ro")
    template.add(text)
    return catalogue_of(catalogues.as_text(catalogues.begun("ro")) + entry), template


def test_romanian_comes_with_the_package():
    assert "ro" in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_missing(language, found):
    assert catalogues.missing(catalogues.read(catalogues.source(language)), found) == [], "run `make messages`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_is_stale(language, found):
    assert catalogues.stale(catalogues.read(catalogues.source(language)), found) == [], "run `make messages`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_those_of_the_code_in_every_plural_form(language):
    assert list(catalogues.wrong(catalogues.read(catalogues.source(language)))) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    path = catalogues.source(language)
    compiled = catalogues.compile_(catalogues.read(path))
    assert catalogues.translations(path.with_suffix(".mo").read_bytes()) == catalogues.translations(compiled)


def test_romanian_has_three_plural_forms_and_chooses_as_its_grammar_does():
    catalogue = catalogues.read(catalogues.source("ro"))
    assert catalogue.num_plurals == 3
    assert all(len(message.string) == 3 for message in catalogue if message.pluralizable)
    compiled = catalogues.source("ro").with_suffix(".mo").read_bytes()
    form = catalogues.parsed(compiled).plural
    rule = PluralRule({"one": "n = 1", "few": "n = 0 or n != 1 and n % 100 = 1..19"})
    assert [form(n) for n in range(500)] == [["one", "few", "other"].index(rule(n)) for n in range(500)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_django_says_too_is_said_as_django_says_it(language):
    """A package's translations are the whole site's: another word for `Search` would be there on every page."""
    ours = catalogues.translations(catalogues.source(language).with_suffix(".mo").read_bytes())
    djangos: dict[Any, str] = {}
    for path in catalogues.of_django(language):
        djangos |= catalogues.translations(path.with_suffix(".mo").read_bytes())
    shared = ours.keys() & djangos.keys()
    assert {key: ours[key] for key in shared} == {key: djangos[key] for key in shared}
    assert "Search" in shared or not djangos


@pytest.mark.parametrize(
    "entry",
    [
        "",
        '\nmsgid "sent"\nmsgstr ""\n',
        '\n#, fuzzy\nmsgid "sent"\nmsgstr "trimis"\n',
        '\nmsgctxt "mail"\nmsgid "sent"\nmsgstr "trimis"\n',
        '\n#~ msgid "sent"\n#~ msgstr "trimis"\n',
    ],
    ids=["absent", "empty", "fuzzy", "said of something else", "commented out"],
)
def test_what_is_not_translated_is_missing(entry):
    catalogue, template = catalogue_and_template(entry)
    assert catalogues.missing(catalogue, template) == [(None, "sent")]


def test_a_count_that_lacks_a_form_is_missing():
    entry = '\nmsgid "%(n)s day"\nmsgid_plural "%(n)s days"\n'
    entry += 'msgstr[0] "%(n)s zi"\nmsgstr[1] "%(n)s zile"\nmsgstr[2] ""\n'
    days = ("%(n)s day", "%(n)s days")
    assert catalogues.missing(*catalogue_and_template(entry, days)) == [(None, days)]


@pytest.mark.parametrize("mark", ["", "#~ "])
def test_what_the_code_says_no_more_is_stale(mark):
    catalogue, template = catalogue_and_template(f'\n{mark}msgid "gone"\n{mark}msgstr "dus"\n')
    assert catalogues.stale(catalogue, template) == [(None, "gone")]


@pytest.mark.parametrize(
    "entry",
    [
        'msgid "%(n)s days"\nmsgstr "zile"',
        'msgid "%(n)s days"\nmsgstr "%(m)s zile"',
        'msgid "%(n)s days"\nmsgstr "%(n)d zile"',
        'msgid "%(n)s day"\nmsgid_plural "%(n)s days"\nmsgstr[0] "%(n)s zi"\nmsgstr[1] "zile"\nmsgstr[2] "%(n)s zile"',
    ],
)
def test_a_placeholder_that_differs_is_wrong(entry):
    catalogue, _template = catalogue_and_template(f"\n#, python-format\n{entry}\n")
    assert list(catalogues.wrong(catalogue))


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of one module and one template, without translations."""
    package = tmp_path / "shop"
    (package / "templates").mkdir(parents=True)
    (package / "locale").mkdir()
    (package / "module.py").write_text(
        '_("one")\nngettext("%(n)s day", "%(n)s days", n)\npgettext_lazy("of day", "two")\n'
    )
    (package / "templates" / "page.html").write_text(
        '<ul>\n    <li title="{% translate "three" %}">\n  {% blocktranslate with n=n trimmed %}\n  four\n'
        "  {{ n }}\n{% endblocktranslate %}\n  It's hard-coded {# _('no') #}\n</ul>{{ x|default:_('five') }}\n"
    )
    for name, value in (("PACKAGE", package), ("LOCALE", package / "locale"), ("ROOT", tmp_path)):
        monkeypatch.setattr(catalogues, name, value)
    return package


def test_messages_are_found_in_code_and_templates(package):
    found = catalogues.keys(catalogues.extracted())
    counted = ("%(n)s day", "%(n)s days")
    assert found == {(None, text) for text in ("one", counted, "three", "four %(n)s", "five")} | {("of day", "two")}


def test_make_messages_begins_a_language_says_what_is_to_do_and_keeps_what_is_done(package, capsys):
    make_messages.main(["de"])
    assert "6 strings, 6 to translate\n" in capsys.readouterr().out
    path = catalogues.source("de")
    assert "nplurals=2" in path.read_text()
    path.write_text(path.read_text().replace('msgid "one"\nmsgstr ""', 'msgid "one"\nmsgstr "eins"'))
    (package / "module.py").write_text('_("one")\n_("six")\n')
    make_messages.main([])
    assert "5 strings, 4 to translate\n" in capsys.readouterr().out
    assert catalogues.translations(path.with_suffix(".mo").read_bytes()) == {"one": "eins"}


def test_make_messages_changes_nothing_where_nothing_is_new(package, capsys):
    make_messages.main(["ro"])
    path = catalogues.source("ro")
    before = path.read_bytes(), path.with_suffix(".mo").stat().st_mtime_ns
    make_messages.main([])
    assert (path.read_bytes(), path.with_suffix(".mo").stat().st_mtime_ns) == before
