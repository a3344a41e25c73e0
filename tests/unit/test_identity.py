"""Cookies are the shopper's to write: whatever is in them, an identity is one the vendor could have given, or none."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from django_vt.identity import ALL_WAYS, NOBODY, VTSID_PATTERN, Identity, Source, choose
from tests.support.ordering import PIXEL, PIXEL_COOKIE

ANY_TEXT = st.text(st.characters(), max_size=200)
NEARLY_A_COOKIE = st.from_regex(r"[A-Za-z0-9._~@\x00é٣-]{0,70}_[A-Za-z0-9-]{0,70}(_.*)?", fullmatch=True)
COOKIE_VALUES = st.one_of(ANY_TEXT, NEARLY_A_COOKIE, st.binary(max_size=80).map(lambda raw: raw.decode("latin-1")))


def test_the_vendors_example_cookie_names_the_pixels_user_and_session():
    assert Identity.from_cookies({"_vt_user": PIXEL_COOKIE}) == PIXEL


@pytest.mark.parametrize("cookie", ["0111_013123", "0111_013123_", "0111_013123_false_false_\n", "a-1_b-2_é\x00"])
def test_a_pixel_cookie_counts_with_any_rest_and_keeps_leading_zeros(cookie):
    known = Identity.from_cookies({"_vt_user": cookie})
    assert known.ways == ("pixel",)
    assert [known.user_id, known.session_id] == cookie.split("_")[:2]


@pytest.mark.parametrize(
    "cookie",
    ["", "_", "1_", "_1", "1", "1.5_2", "1_2x y", "é_1", "٣_٣", "1_2\n", " 1_2", "a" * 65 + "_1", "1_" + "a" * 65],
)
def test_a_pixel_cookie_of_another_form_counts_as_absent(cookie):
    assert Identity.from_cookies({"_vt_user": cookie}) == NOBODY


def test_ids_of_64_characters_are_the_longest():
    assert Identity.from_cookies({"_vt_user": f"{'a' * 64}_{'b' * 64}_x"}).user_id == "a" * 64


@pytest.mark.parametrize("cookie", ["abc", "A.z_0~9-", "0", "x" * 128])
def test_a_vtsid_cookie_counts_as_it_is(cookie):
    assert Identity.from_cookies({"_vtsid": cookie}) == Identity(vtsid=cookie)


@pytest.mark.parametrize("cookie", ["", "a b", "a@b", "é", "٣", "a\n", "a%20", "x" * 129])
def test_a_vtsid_cookie_of_another_form_counts_as_absent(cookie):
    assert not Identity.from_cookies({"_vtsid": cookie})


@given(COOKIE_VALUES, COOKIE_VALUES)
@example("1_2", "\ud800")
def test_cookies_of_any_text_never_raise_and_give_what_the_vendor_could_have_given(pixel, vtsid):
    known = Identity.from_cookies({"_vt_user": pixel, "_vtsid": vtsid})
    assert bool(known.user_id) == bool(known.session_id)
    assert known.user_id == "" or pixel.startswith(f"{known.user_id}_{known.session_id}")
    assert all(re.fullmatch("[A-Za-z0-9-]{0,64}", part) for part in (known.user_id, known.session_id))
    assert known.vtsid in {"", vtsid}
    assert re.fullmatch("[A-Za-z0-9._~-]{0,128}", known.vtsid)
    assert known.email == ""


@given(st.dictionaries(st.sampled_from(["_vt_user", "_vtsid"]), st.none() | st.integers() | st.binary()))
def test_cookies_that_are_no_texts_count_as_absent(cookies):
    assert Identity.from_cookies(cookies) == NOBODY


FULL = Identity(user_id="0111", session_id="013123", vtsid="site-1", email="Shopper@Example.com")


@pytest.mark.parametrize(
    ("way", "stored"),
    [("pixel", "pixel:0111_013123"), ("vtsid", "vtsid:site-1"), ("email", "email:shopper@example.com")],
)
def test_one_way_of_an_identity_is_that_way_alone(way, stored):
    assert FULL.only(way).ways == (way,)
    assert FULL.only(way).stored_form == stored
    assert NOBODY.only(way) is NOBODY


@pytest.mark.parametrize("way", ALL_WAYS)
def test_a_stored_form_is_read_as_it_was_written(way):
    read = Identity.from_stored_form(FULL.only(way).stored_form)
    assert read.ways == (way,)
    assert read.stored_form == FULL.only(way).stored_form


@given(st.builds(Identity, vtsid=st.from_regex(VTSID_PATTERN, fullmatch=True)))
@example(Identity(email="a:b_c@example.com"))
@example(Identity(vtsid="a_b"))
@example(NOBODY)
def test_any_identity_of_one_way_comes_back_from_its_stored_form(known):
    assert Identity.from_stored_form(known.stored_form) == known


@pytest.mark.parametrize(
    "stored",
    ["buyer@example.com", "pixel:", "pixel:1", "pixel:1_", "pixel:1_2_3", "vtsid:", "email:", "email: ", "x:y"],
)
def test_what_is_no_stored_form_is_refused_and_not_repeated(stored):
    with pytest.raises(ValueError, match=r"^(identity|user_id|session_id): ") as caught:
        Identity.from_stored_form(stored)
    assert "buyer" not in str(caught.value)


def test_an_address_is_stored_as_it_is_compared_and_sent_as_it_was_spelt():
    known = Identity(email=" Jo <Jo@Exämple.com.> ")
    assert known.email == "Jo@Exämple.com"
    assert known.stored_form == "email:jo@xn--exmple-cua.com"
    assert not Identity(email="a@example.com, b@example.com")


def test_nobody_is_falsy_and_somebody_is_truthy():
    assert not Identity()
    assert not Identity(email="  ")
    assert Identity().stored_form == ""
    assert all(FULL.only(way) for way in ALL_WAYS)


def test_an_identity_cannot_be_changed_and_can_be_a_key():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.email = "other@example.com"
    assert {FULL: 1}[Identity(**FULL.to_dict())] == 1


def test_to_dict_and_from_dict_are_each_others_inverse():
    assert Identity.from_dict(json.loads(json.dumps(FULL.to_dict()))) == FULL
    assert Identity.from_dict({}) == NOBODY
    assert PIXEL.to_dict() == {"user_id": "8139618027113397", "session_id": "253412802711339765"}


@pytest.mark.parametrize("key", ["canary@example.com", "userid"])
def test_from_dict_refuses_what_is_not_part_of_an_identity(key):
    with pytest.raises(ValueError, match=r"identity.*known are email, session_id, user_id, vtsid") as caught:
        Identity.from_dict({"email": "buyer@example.com", key: "1"})
    assert "@" not in str(caught.value)


@pytest.mark.parametrize("field", ["user_id", "session_id", "vtsid", "email"])
@pytest.mark.parametrize("value", [1, None, b"1", 1.5, ["1"]])
def test_anything_but_strings_is_refused(field, value):
    with pytest.raises(ValueError, match=f"^{field}: must be a string"):
        Identity(**{field: value})


@pytest.mark.parametrize(("given_field", "missing"), [("user_id", "session_id"), ("session_id", "user_id")])
def test_half_a_pixel_pair_is_refused(given_field, missing):
    with pytest.raises(ValueError, match=f"^{missing}: .*both or neither"):
        Identity(**{given_field: "1"})


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"user_id": "ca nary", "session_id": "1"}, "user_id"),
        ({"user_id": "1", "session_id": "canary_1"}, "session_id"),
        ({"vtsid": "canary@"}, "vtsid"),
        ({"email": "canary\0@example.com"}, "email"),
        ({"email": "canary\ud800"}, "email"),
        ({"email": "canary" * 60}, "email"),
        ({"email": "İ" * 200}, "email"),
    ],
)
def test_what_the_vendor_could_not_have_given_is_refused_by_name_and_without_the_value(fields, named):
    with pytest.raises(ValueError, match=f"^{named}: ") as caught:
        Identity(**fields)
    assert "canary" not in str(caught.value)


def test_the_longest_identity_fits_its_column():
    assert len(Identity(email="İ" * 160).stored_form) <= 330
    assert len(Identity(user_id="a" * 64, session_id="b" * 64).stored_form) <= 330


def test_the_repr_names_the_ways_and_no_value():
    assert repr(FULL) == str(FULL) == "<Identity: pixel, vtsid, email>"
    assert repr(NOBODY) == "<Identity: nobody>"


def test_the_first_way_that_any_source_has_wins_over_the_first_source():
    sources = [Source(lambda: Identity(email="a@example.com")), Source(lambda: PIXEL)]
    assert choose(ALL_WAYS, sources) == PIXEL
    assert choose(("email", "pixel"), sources) == Identity(email="a@example.com")
    assert choose((), sources) is NOBODY


def test_a_source_is_asked_once_and_only_for_the_ways_it_can_have():
    asked = []
    known = Source(lambda: asked.append("known") or NOBODY)
    of_user = Source(lambda: asked.append("user") or NOBODY, "email")
    assert not choose(("pixel", "vtsid"), [known, of_user])
    assert asked == ["known"]
    assert not choose(ALL_WAYS, [known, of_user])
    assert asked == ["known", "user"]
