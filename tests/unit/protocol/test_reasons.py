"""What the send log says of an entry comes from a closed list, fits its column, and is put in words when asked."""

from __future__ import annotations

import pytest
from django.utils import translation

from django_vt.models import SendAttempt, SendLogEntry
from django_vt.protocol import reasons


def test_a_reason_is_a_code_with_a_safe_detail_or_none():
    assert reasons.reason(reasons.NOBODY) == "nobody"
    assert reasons.reason(reasons.ANSWERED, 503) == "answered: 503"
    assert reasons.reason(reasons.INVALID, "items[0].quantity") == "invalid: items[0].quantity"


def test_a_reason_outside_the_list_cannot_be_stored():
    with pytest.raises(ValueError, match="not a reason"):
        reasons.reason("because")


def test_the_longest_reason_fits_its_columns():
    longest = reasons.reason(reasons.INVALID, "extra." + "deep." * 100)
    for model in (SendLogEntry, SendAttempt):
        assert len(longest) == model._meta.get_field("reason").max_length


@pytest.mark.parametrize("code", sorted(reasons.CODES))
def test_every_code_comes_back_from_its_stored_form_and_has_words(code):
    assert reasons.split(reasons.reason(code)) == (code, "")
    assert reasons.split(reasons.reason(code, "a: b")) == (code, "a: b")
    assert reasons.describe(code) not in {"", code}
    assert ": " not in code


def test_staff_read_a_reason_in_their_language_and_a_log_has_it_in_english():
    with translation.override("ro"):
        assert reasons.describe("invalid: total") == "Evenimentul conține ceva ce nu poate fi trimis: total"
        assert reasons.in_english("invalid: total") == "The event holds something that cannot be sent: total"
        assert translation.get_language() == "ro"


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("answered: 503", "Vibetrace answered 503 Service Unavailable"),
        ("answered: 299", "Vibetrace answered 299"),
        ("answered", "Vibetrace answered"),
        ("timed out", "No complete answer within the time limit"),
        ("invalid: total", "The event holds something that cannot be sent: total"),
        ("written by a later version: 1", "written by a later version: 1"),
        ("", ""),
    ],
)
def test_a_stored_reason_is_told_in_words(stored, words):
    with translation.override("en"):
        assert reasons.describe(stored) == words


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("timed out", "timed out"),
        ("backend failed: OSError", "backend failed: OSError"),
        ("backend failed: no route for buyer@example.com", "backend failed"),
        ("buyer@example.com is unknown", "backend failed"),
        ("unreachable: GET /event/acc/login?data=buyer%40example.com", "unreachable"),
        ("unreachable: +40 721 234 567", "unreachable"),
        ("broken connection: 0721234567", "broken connection"),
        ("answered: 503", "answered: 503"),
        ("", "backend failed"),
    ],
)
def test_what_a_backend_gives_as_a_reason_is_kept_where_it_tells_of_nobody(told, kept):
    assert reasons.safe(told) == kept
