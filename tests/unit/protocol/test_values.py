"""Values come out as JSON and every database can hold them, or are refused by the name of their field, unrepeated."""

from __future__ import annotations

import enum
import json
import math
from decimal import Context, Decimal, FloatOperation, Inexact, Rounded, localcontext
from uuid import UUID

import pytest
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy
from hypothesis import example, given
from hypothesis import strategies as st

from django_vt.exceptions import InvalidField
from django_vt.protocol import values

ENORMOUS = -(10**5000)  # Python refuses to print it


class Size(str, enum.Enum):
    XL = "xl"


class Count(enum.IntEnum):
    TWO = 2


class Shape(enum.Enum):
    ROUND = 1.5
    LISTED = ["a"]


class Text(str):
    """As a form field or a template may make them."""

    def __str__(self):
        return "S.W"

    def strip(self, *_args):
        raise LookupError


class Price(float):
    def __repr__(self):
        return "cheap"


def lazy(value):
    return SimpleLazyObject(lambda: value)


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(st.characters()), st.binary(),
    st.uuids(), st.datetimes(), st.complex_numbers(), st.lists(st.integers()), st.builds(object),
    st.sampled_from([*Size, *Count, *Shape, Text("a"), Price(1.5)]),
)  # fmt: skip
JUNK = JUNK | JUNK.map(lazy)
JSON_LIKE = st.recursive(
    JUNK,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()) | st.integers(), inner),
    max_leaves=8,
)


def test_what_a_lazy_objects_own_code_raises_is_left_to_the_shop():
    with pytest.raises(ZeroDivisionError):
        values.identifier("the_field", SimpleLazyObject(lambda: 1 / 0))


def refused(check, *args):
    with pytest.raises(InvalidField) as caught:
        check("the_field", *args)
    assert isinstance(caught.value, ValueError)
    assert caught.value.field.startswith("the_field")
    assert str(caught.value).startswith(f"{caught.value.field}: ")
    return caught.value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("100023", "100023"), (" a b ", " a b "), ("0111", "0111"), ("🎁", "🎁"), (17, "17"), (Count.TWO, "2"),
        (Size.XL, "xl"), (mark_safe("a"), "a"), ("a" * 255, "a" * 255),
        (lazystr("1"), "1"), (lazy("W-1"), "W-1"), (lazy(17), "17"), (lazy(lazy(Size.XL)), "xl"), (Text("W-1"), "W-1"),
        (lazy(UUID("12345678123456781234567812345678")), "12345678-1234-5678-1234-567812345678"),
        (UUID("12345678123456781234567812345678"), "12345678-1234-5678-1234-567812345678"),
    ],
)  # fmt: skip
def test_an_id_is_kept_as_the_string_it_is(value, text):
    assert values.identifier("the_field", value) == text
    assert type(values.identifier("the_field", Size.XL)) is str


@pytest.mark.parametrize(
    "value",
    ["", "  ", "\t\n", "a\0", "\0", "\ud800", "a" * 256, None, True, 1.0, b"1", ["1"], 10**255, ENORMOUS,
     lazystr(""), SimpleLazyObject(lambda: None), Shape.ROUND],
    ids=type,
)  # fmt: skip
def test_an_id_that_is_none_is_refused(value):
    refused(values.identifier, value)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (None, ""),
        ("", ""),
        ("  ", ""),
        (" a@b.example\n", "a@b.example"),
        (lazy(" a@b.example"), "a@b.example"),
        (lazy(None), ""),
        ("Jo <a@b.example>", "a@b.example"),
        ("a@b.example, c@d.example", ""),
    ],
)
def test_an_address_comes_without_the_blanks_around_it(value, address):
    assert values.email("the_field", value) == address


@pytest.mark.parametrize("value", [1, b"a@b", "a\0@b", "\udfff@b", "a" * 321, "İ" * 161])
def test_an_address_that_no_column_could_hold_is_refused(value):
    refused(values.email, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2, "2"), (2.0, "2"), (0.5, "0.5"), (Decimal(2), "2"), (Decimal("2.50"), "2.5"), (Decimal("1E+2"), "100"),
        (0.1, "0.1"), (Count.TWO, "2"), (Shape.ROUND, "1.5"),
        (lazy(Decimal("0.5")), "0.5"), (Price(0.5), "0.5"),
        (2**63 - 1, "9223372036854775807"), (10.0**14, "100000000000000"),
        (Decimal("99999999999999.9"), "99999999999999.9"), (Decimal("0.000001"), "1e-06"),
    ],
)  # fmt: skip
def test_a_quantity_is_printed_as_php_would(value, text):
    assert json.dumps(values.number(values.quantity("the_field", value))) == text


@pytest.mark.parametrize(
    "value",
    [
        0, -1, 0.0, -0.0, Decimal(0), Decimal("-0.1"), Decimal("1E-400"), math.nan, math.inf, -math.inf,
        Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+400"), 2**63, Decimal("1.0000000000000001"),
        True, "2", None, 2j,
    ],
)  # fmt: skip
def test_a_quantity_that_is_not_above_0_or_no_number_of_json_is_refused(value):
    refused(values.quantity, value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (234.12, "234.12"), (2.675, "2.68"), (0.1 + 0.2, "0.3"), (1e-7, "0"), (100.0, "100"), (Price(2.675), "2.68"),
        (lazy("234.12"), "234.12"), (lazystr("1.5"), "1.5"), (Text("1.5"), "1.5"), (Count.TWO, "2"),
        (100, "100"), ("100", "100"), (Decimal("100.00"), "100"), (Decimal("100.10"), "100.1"), ("234.12", "234.12"),
        (Decimal(100) / 3, "33.33"), (Decimal("0.005"), "0.01"), (Decimal("0.015"), "0.02"), (Decimal("2.675"), "2.68"),
        (Decimal("-0.005"), "-0.01"), ("-0.004", "0"), (0, "0"), (" 1e2 ", "100"), ("9999999999999.99",) * 2,
        ("999999999999999", "999999999999999"), (Decimal("1E-999999"), "0"), ("1.0049999999999999", "1"),
        (Decimal("1.005" + "0" * 60 + "1"), "1.01"), ("1.004" + "9" * 60, "1"),
    ],
)  # fmt: skip
def test_money_is_rounded_half_up_to_cents_and_printed_as_php_would(value, text):
    assert json.dumps(values.number(values.money("the_field", value))) == text


@pytest.mark.parametrize(
    "value",
    [
        math.nan, math.inf, 1e15, 5e-324j, None, True, b"1", "", "a lot", "1,50", "1\0", "\ud800", "NaN", "sNaN", "inf",
        Decimal("-Infinity"),
        "1000000000000000", 10**15, ENORMOUS, "1E+999999999999999999999", "12345678901234.56",
        "999999999999999.999", [1], Decimal("1E+15"),
    ],
    ids=type,
)  # fmt: skip
def test_money_that_json_would_lose_digits_of_is_refused(value):
    refused(values.money, value)


@pytest.mark.parametrize(
    "context", [Context(prec=3), Context(traps=[Inexact, Rounded, FloatOperation]), Context(traps=[])]
)
def test_money_does_not_depend_on_the_threads_decimal_context(context):
    with localcontext(context):
        assert values.money("the_field", Decimal("12345678901.125")) == Decimal("12345678901.13")
        assert json.dumps(values.number(values.quantity("the_field", Decimal("1234.5670")))) == "1234.567"
        refused(values.money, "12345678901234.56")
        refused(values.money, "a lot")


@given(JUNK)
@example(Decimal("1E+999999"))
@example("١٢")
@pytest.mark.parametrize("check", [values.identifier, values.email, values.quantity, values.money])
def test_any_value_is_taken_or_refused_by_the_name_of_its_field(check, value):
    try:
        taken = check("the_field", value)
    except InvalidField:
        assert refused(check, value).field == "the_field"
    else:
        printed = json.dumps(values.number(taken) if isinstance(taken, Decimal) else taken, allow_nan=False)
        assert json.dumps(json.loads(printed)) == printed


@given(st.dictionaries(st.text(st.characters()), JSON_LIKE))
def test_any_data_becomes_json_or_is_refused_by_the_name_of_its_place(value):
    try:
        copy = values.data("the_field", value, set())
    except InvalidField:
        refused(values.data, value, set())
    else:
        assert json.loads(json.dumps(copy, allow_nan=False)) == copy
        assert list(copy) == list(value)


def test_data_is_a_copy_in_plain_types():
    given_data = {
        "size": Size.XL, Text("label"): gettext_lazy("yes"), "price": Decimal("100.10"), "tags": ("a", {"n": 1.0}),
        "lazy": lazy({"a": lazy([Count.TWO, Shape.ROUND])}),
    }  # fmt: skip
    copy = values.data("the_field", given_data, set())
    given_data["tags"][1]["n"] = 2
    given_data["more"] = 1
    assert copy == {"size": "xl", "label": "yes", "price": 100.1, "tags": ["a", {"n": 1}], "lazy": {"a": [2, 1.5]}}
    assert [type(value) for value in copy.values()] == [str, str, float, list, dict]
    assert {type(key) for key in copy} == {str}
    assert values.data("the_field", lazy({"a": 1}), set()) == {"a": 1}


def test_data_keeps_what_json_can_escape():
    text = "🎁 \0 \ud800 </script> é"
    assert values.data("the_field", {text: text}, set()) == {text: text}
    assert json.dumps(text).isascii()


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], "the_field"),
        (None, "the_field"),
        ({"a": {"b": [1, {"c": math.nan}]}}, "the_field.a.b[1].c"),
        ({"a": {1: 2}}, "the_field.a"),
        ({"canary@example.com": object()}, "the_field[…]"),
        ({"0721234567": object()}, "the_field[…]"),
        ({"0721-234-567": object()}, "the_field[…]"),
        ({"line_2": object()}, "the_field.line_2"),
        ({"a": {1, 2}}, "the_field.a"),
        ({"a": b""}, "the_field.a"),
        ({"a": 2**63}, "the_field.a"),
        ({"a": Decimal("1E+400")}, "the_field.a"),
        ({"reserved": 1}, "the_field.reserved"),
        ({Text("reserved"): 1}, "the_field.reserved"),
        ({Shape.LISTED: 1}, "the_field"),
        ({"a": lazy({"b": object()})}, "the_field.a.b"),
        (lazy([]), "the_field"),
    ],
)
def test_data_that_json_has_no_form_for_is_refused_where_it_stands(value, field):
    error = refused(values.data, value, {"reserved"})
    assert error.field == field
    assert "canary" not in str(error)


def test_data_may_be_32_deep_and_a_circle_is_refused():
    deep = {"a": 1}
    for _ in range(values.MAX_DEPTH - 2):
        deep = {"a": deep}
    assert values.data("the_field", deep, set()) == deep
    assert refused(values.data, {"a": deep}, set()).problem == "is nested too deeply"
    lists = []
    for _ in range(values.MAX_DEPTH):
        lists = [lists]
    assert refused(values.data, {"a": lists}, set()).problem == "is nested too deeply"
    circle = {}
    circle["a"] = [circle]
    assert refused(values.data, circle, set()).problem == "is nested too deeply"


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("100023", "100023"), (17, "17"), ("a\nb\0c\ud800d", "abcd"), ("canary@example.com", ""), (None, ""),
        (True, ""), (1.5, ""), (Size.XL, "xl"), (Text("W-1"), "W-1"), (lazy("W-1"), "W-1"), (lazystr("W-1"), "W-1"),
        (lazy(None), ""), ("canary%40example.com", ""), ("canary\uff20example.com", ""), (ENORMOUS, ""), ("🎁", "🎁"),
        ("x" * 300, "x" * 255), ([], ""),
    ],
    ids=type,
)  # fmt: skip
def test_a_reference_is_shown_without_line_breaks_and_not_at_all_where_it_may_be_an_address(reference, shown):
    assert values.showable(reference) == shown
