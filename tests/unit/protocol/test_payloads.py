"""What is stored as JSON is read whatever it has become."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_vt.protocol import payloads
from tests.support.webassembly import IS_TOO_DEEP_FOR_JAVASCRIPT

DAMAGED = ["", "{", "canary", '{"type":"login"', "{'type': 'login'}", "NULL"]
DAMAGED += ["9" * 5000, pytest.param("[" * 100_000, marks=IS_TOO_DEEP_FOR_JAVASCRIPT), "[" * 101 + "]" * 101]
VALUES = st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@pytest.mark.parametrize("text", DAMAGED, ids=lambda text: text[:20] or "empty")
def test_what_is_no_json_is_the_text_itself(text):
    assert payloads.value_of(text) == text
    assert payloads.object_of(text) is None
    assert payloads.indented(text) == text


@pytest.mark.parametrize("text", ["[]", '["a"]', "null", "12", '"a"', "true", "NaN"])
def test_what_is_no_object_is_no_event(text):
    assert payloads.object_of(text) is None
    assert payloads.indented(text)


def test_what_is_nested_as_deeply_as_is_allowed_is_read():
    text = '{"a":' * 99 + "1" + "}" * 99
    assert payloads.object_of(text) == json.loads(text)


def test_it_is_indented_with_letters_as_they_are_but_for_half_characters():
    assert payloads.indented('{"a":"\\u015f\\ud800"}') == '{\n  "a": "ş\\ud800"\n}'


def test_letters_are_read_from_their_escapes_where_it_is_no_json():
    assert payloads.unescaped('{"a":"jos\\u00e9@example.com') == '{"a":"josé@example.com'


@given(VALUES)
def test_whatever_it_is_can_be_read_and_written(value):
    for text in (json.dumps(value), str(value), json.dumps(value)[:-1]):
        payloads.object_of(text)
        payloads.indented(text).encode("utf-8", "surrogatepass")
