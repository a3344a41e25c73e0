"""Staff read the words of a shop: no setting's name, no field's, none of the vendor's terms."""

from __future__ import annotations

import html
import re

import pytest

from django_vt.admin.plain_words import plainly
from django_vt.conf import DEFAULTS
from django_vt.events import event_name
from django_vt.protocol import reasons
from tests.unit.admin.conftest import FORGET, PEOPLE, RESEND, VIEW
from tests.unit.admin.scenes import SCENES, UNUSABLE, Stage

pytestmark = [pytest.mark.any_database, pytest.mark.newest]

STORED = [
    *reasons.CODES,
    *(reasons.reason(reasons.INVALID, field) for field in UNUSABLE),
    *(reasons.reason(reasons.ANSWERED, status) for status in (302, 400, 401, 403, 404, 408, 429, 500, 503)),
]
# What is for whoever looks after the site is in these, and what is data: tags and their attributes, code.
LEFT_OUT = re.compile(
    r'<details class="vt-technical">.*?</details>|<(pre|style|script|code)\b.*?</\1>|<[^>]*>', re.DOTALL
)
TERMS = re.compile(rf"\b(?:{'|'.join(DEFAULTS)}|payload|confirmation|dedup|send_pending)\b|\[\d+\]|\bTLS\b")


def test_an_order_is_called_an_order_and_a_login_a_login():
    assert [event_name(each) for each in ("confirmation", "login", "wishlist")] == ["order", "login", "wishlist"]


@pytest.mark.parametrize("stored", STORED)
def test_every_reason_has_words_of_its_own(stored):
    told = plainly(stored)
    assert told.words not in {stored, reasons.describe(stored)}
    assert TERMS.findall(f"{told.words} {told.advice}") == []
    assert not told.words.endswith(".")
    assert not told.advice or told.advice.endswith(".")


@pytest.mark.parametrize(
    ("stored", "words", "advice"),
    [
        (
            "invalid: items[0].id",
            "Article 1 of the order has no number that can be used",
            "Fill in the article's SKU.",
        ),
        (
            "invalid: items[2].quantity",
            "The quantity of article 3 of the order is no number above 0",
            "Correct the quantity in the order.",
        ),
        ("answered: 400", "Vibetrace refused it (answer 400)", "Ask Vibetrace why it refuses this event."),
        (
            "answered: 403",
            "Vibetrace did not let the shop's account in (answer 403)",
            "Have the account in the shop's settings compared with the one at Vibetrace.",
        ),
        ("answered: 503", "Vibetrace could not take it at the time (answer 503)", "Wait until Vibetrace works again."),
    ],
)
def test_the_advice_fits_the_reason(stored, words, advice):
    told = plainly(stored)
    assert (told.words, told.advice) == (words, advice)


@pytest.mark.parametrize(
    ("stored", "passes"),
    [("answered: 503", True), ("answered: 429", True), ("timed out", True), ("answered: 400", False), ("tls", False)],
)
def test_what_passes_by_itself_is_told_from_what_must_be_mended(stored, passes):
    assert plainly(stored).passes is passes


def test_two_programs_errors_are_two_reasons():
    assert plainly("backend failed: OSError").words != plainly("backend failed: KeyError").words


@pytest.mark.parametrize("stored", ["", "too old", "invalid items", "answered"])
def test_what_is_of_no_list_breaks_nothing(stored):
    assert isinstance(plainly(stored).words, str)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_no_page_speaks_in_technical_terms(scene, log_in, record, monkeypatch):
    stage = Stage(log_in(VIEW, RESEND, PEOPLE, FORGET), record, monkeypatch)
    for response in scene(stage):
        shown = html.unescape(LEFT_OUT.sub(" ", response.content.decode()))
        assert TERMS.findall(shown) == []
