"""One address is one address however it is spelt, and is found wherever a text holds it."""

from __future__ import annotations

import hashlib
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from django_vt.protocol import addresses
from django_vt.protocol.addresses import bare, canonical, hash_of_address

JO = "jo@example.com"


@pytest.mark.parametrize(
    "spelling",
    [
        "jo@example.com", "JO@Example.COM", " jo@example.com\n", "Jo <jo@example.com>",
        '"Jo, the buyer" <JO@example.com>',
        "<jo@example.com>", "jo@example.com\u200b", "\ufeffj\u00ado@example.com", "jo@example.com.", "jo@example.com;",
        "jo@example.com , ", "mailto:jo@example.com", "MAILTO:jo@example.com?subject=x", "jo\uff20example.com",
        "jo%40example.com", "Jo <mailto:jo@example.com.>",
    ],
)  # fmt: skip
def test_an_address_is_what_it_is_however_it_is_spelt(spelling):
    assert canonical(spelling) == JO
    assert hash_of_address(spelling) == hashlib.sha256(JO.encode()).hexdigest()
    assert addresses.is_address(spelling)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jos\u00e9@example.com", "jose\u0301@example.com"),
        ("jo@ex\u00e4mple.com", "jo@xn--exmple-cua.com"),
        ("jo@exa\u0308mple.com", "JO@XN--EXMPLE-CUA.com"),
        ("jo@\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444", "jo@xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_unicode_in_an_address_is_compared_by_what_it_means(one, other):
    assert canonical(one) == canonical(other) != ""
    assert hash_of_address(one) == hash_of_address(other)


@pytest.mark.parametrize(
    "several",
    ["a@example.com, b@example.com", "a@example.com b@example.com", "A <a@example.com>, B <b@example.com>", "a@b@c"],
)
def test_a_list_of_addresses_is_none(several):
    assert bare(several) == canonical(several) == hash_of_address(several) == ""
    assert not addresses.is_address(several)


@pytest.mark.parametrize("different", ["josé@example.com", "j.o@example.com", "jo@example.co", "jo+x@example.com"])
def test_other_addresses_stay_others(different):
    assert canonical(different) not in {JO, ""}


@pytest.mark.parametrize("text", ["", "jo", "0721 234 567", "Jo <jo>"])
def test_what_is_no_address_is_none(text):
    assert not addresses.is_address(text)


def test_a_domain_that_dns_could_not_have_is_left_as_it_is():
    assert canonical("jo@É..example.com") == "jo@é..example.com"
    assert canonical(f"jo@{'é' * 300}") == f"jo@{'é' * 300}"


ANY_TEXT = st.text(st.characters(), max_size=60) | st.text("a@<>., ;%40\uff20\u200b:\u00e9İ\ud800", max_size=60)


@given(ANY_TEXT)
@example("a@\u200b@b")
@example("mailto:mailto:a@b")
@example("x <y <a@b>>")
@example("a@b.;")
@example("%4%400")
def test_what_is_compared_compares_as_itself(text):
    assert canonical(canonical(text)) == canonical(text)
    assert canonical(bare(text)) == canonical(text)


@pytest.mark.parametrize(
    "value",
    [
        "write to Jo@example.com, please", "(jo@example.com)", "Jo <jo@example.com>", {"jo@example.com": 1},
        [{"a": {"b": ["jo@example.com."]}}], "https://shop.example/?email=jo%40example.com&next=/", "'jo@example.com'",
        '{"to":"jo@example.com","n":1}', "mailto:jo@example.com?cc=x",
        "jo\uff20example.com!", ("x", "to:jo@example.com"),
        "jo@exa\u200bmple.com is it",
    ],
)  # fmt: skip
def test_an_address_is_found_wherever_a_value_holds_it(value):
    assert JO in addresses.within(value)


def test_all_addresses_of_a_text_are_found():
    text = "a@example.com,b@example.com;c@example.com d@example.com"
    assert list(addresses.within(text)) == [f"{letter}@example.com" for letter in "abcd"]
    assert list(addresses.within(["@", "a@", "@b", "no", 5, None, {"n": 1}, "@@"])) == []


def test_an_address_whose_local_part_ends_others_is_found_whole():
    assert "dept/jo@example.com" in addresses.within("dept/jo@example.com")


def test_all_addresses_of_a_payload_are_found_each_once():
    payload = json.dumps({"email": "Jo@example.com", "note": "jo@example.com or b@example.com \uff20"})
    assert addresses.in_payload(payload) == (JO, "b@example.com")
    assert addresses.in_payload("") == ()


@pytest.mark.parametrize(
    "text",
    ["a" * 200_000, "@" * 200_000, "a@" * 100_000, "a." * 100_000 + "@", "<" * 200_000 + ">", "@" + ".;" * 100_000],
)
def test_the_longest_text_is_read_in_time_that_does_not_grow_faster(text):
    """Forty thousand million steps, which a square would take, would not end today."""
    begun = time.perf_counter()
    assert list(addresses.within(text)) is not None
    addresses.replaced(text, lambda word: "")
    assert time.perf_counter() - begun < 60


def test_words_that_may_hold_an_address_are_replaced_and_no_others():
    text = "write  to <jo@example.com> or jo%40example.com\u00a0or jo\uff20x now"
    assert addresses.replaced(text, lambda word: "***") == "write  to *** or ***\u00a0or *** now"
    assert addresses.replaced("nothing here", lambda word: "***") == "nothing here"
