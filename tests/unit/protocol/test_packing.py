from __future__ import annotations

import dataclasses
import json
from urllib.parse import parse_qs, quote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_vt.protocol.packing import OutgoingRequest, Packing
from tests.support.recorded import RECORDED

PACKING = Packing("https://vendor.example/event", "vt", batch_size=20, max_url_length=8000)


@dataclasses.dataclass
class Entry:
    pk: int
    payload: str = '{"type":"login"}'
    account_id: str = "acc123"
    event_type: str = "login"
    batch_limit: int | None = None


def entries(count: int, **columns: object) -> list[Entry]:
    return [Entry(pk, **columns) for pk in range(1, count + 1)]  # type: ignore[arg-type]


def ids(requests: list[OutgoingRequest]) -> list[tuple[int, ...]]:
    return [request.entry_ids for request in requests]


def data(request: OutgoingRequest) -> str:
    return parse_qs(urlsplit(request.url).query)["data"][0]


@pytest.mark.parametrize("recorded", RECORDED.values(), ids=RECORDED)
def test_the_vendors_own_examples_come_out_byte_for_byte(recorded):
    payload = recorded["query"]["data"][1:-1]
    [request] = PACKING.pack([Entry(1, payload, event_type=recorded["name"])])
    path, query = request.url.removeprefix("https://vendor.example").split("?")
    assert path == recorded["path"]
    assert without_ts(query) == without_ts(recorded["raw_query"])


def without_ts(query: str) -> str:
    head, ts = query.rsplit("&ts=", 1)
    assert 0 <= int(ts) <= 1000
    return head


def test_the_recorded_texts_are_joined_and_never_encoded_again():
    texts = ['{"total":100.10,"b":1,"a":"\\u00e9 \\/"}', '{"total":1e2}']
    [request] = PACKING.pack([Entry(1, texts[0]), Entry(2, texts[1])])
    assert data(request) == f"[{texts[0]},{texts[1]}]"
    assert request.payloads == tuple(texts)


def test_without_callback_the_request_has_none():
    [request] = dataclasses.replace(PACKING, callback=None).pack(entries(1))
    assert sorted(parse_qs(urlsplit(request.url).query)) == ["data", "ts"]


def test_a_callback_of_odd_characters_cannot_add_parameters():
    [request] = dataclasses.replace(PACKING, callback="a&ts=1#b c").pack(entries(1))
    assert parse_qs(urlsplit(request.url).query)["callback"] == ["a&ts=1#b c"]


def test_the_random_integer_is_that_of_the_vendors_example():
    requests = PACKING.pack(entries(20_000))
    numbers = {int(parse_qs(urlsplit(request.url).query)["ts"][0]) for request in requests}
    assert numbers <= set(range(1001))
    assert len(numbers) > 500


def test_a_slash_at_the_end_of_the_endpoint_makes_no_difference():
    [request] = dataclasses.replace(PACKING, endpoint="https://vendor.example/event/").pack(entries(1))
    assert urlsplit(request.url).path == "/event/acc123/login"


def test_no_more_events_share_a_request_than_batch_size():
    assert ids(dataclasses.replace(PACKING, batch_size=2).pack(entries(5))) == [(1, 2), (3, 4), (5,)]


def test_types_and_accounts_never_share_a_request():
    mixed = [
        Entry(pk, event_type=event_type, account_id=account)
        for pk, (event_type, account) in enumerate([("login", "a"), ("update", "a"), ("login", "b")] * 2)
    ]
    requests = PACKING.pack(mixed)
    assert sorted(ids(requests)) == [(0, 3), (1, 4), (2, 5)]
    paths = {request.entry_ids: urlsplit(request.url).path for request in requests}
    assert paths == {(0, 3): "/event/a/login", (1, 4): "/event/a/update", (2, 5): "/event/b/login"}


def test_entries_that_may_share_with_few_share_with_few():
    limited = [Entry(1), Entry(2, batch_limit=1), Entry(3), Entry(4, batch_limit=2), Entry(5, batch_limit=2), Entry(6)]
    assert sorted(ids(PACKING.pack(limited))) == [(1, 3, 6), (2,), (4, 5)]


def test_a_batch_limit_above_batch_size_does_not_widen_it():
    assert ids(dataclasses.replace(PACKING, batch_size=1).pack(entries(2, batch_limit=10))) == [(1,), (2,)]


def test_an_event_longer_than_the_limit_goes_alone_and_whole():
    long = Entry(2, json.dumps({"type": "login", "note": "x" * 9000}))
    requests = PACKING.pack([Entry(1), long, Entry(3)])
    assert ids(requests) == [(1,), (2,), (3,)]
    assert len(requests[1].url) > 8000
    assert data(requests[1]) == f"[{long.payload}]"


def test_a_batch_fills_the_url_to_the_last_byte_that_is_allowed():
    [both] = PACKING.pack(entries(2))
    longest = len(both.url) - len(both.url.rsplit("=", 1)[1]) + len("1000")
    assert ids(dataclasses.replace(PACKING, max_url_length=longest).pack(entries(2))) == [(1, 2)]
    assert ids(dataclasses.replace(PACKING, max_url_length=longest - 1).pack(entries(2))) == [(1,), (2,)]


@given(
    st.lists(
        st.builds(
            Entry,
            pk=st.integers(),
            payload=st.text(max_size=300).map(lambda text: json.dumps({"note": text})),
            event_type=st.sampled_from(["login", "confirmation"]),
            batch_limit=st.none() | st.integers(1, 30),
        ),
        unique_by=lambda entry: entry.pk,
    ),
    st.integers(100, 2000),
)
def test_every_entry_is_in_exactly_one_request_that_fits(some, limit):
    requests = dataclasses.replace(PACKING, max_url_length=limit).pack(some)
    assert sorted(pk for request in requests for pk in request.entry_ids) == sorted(entry.pk for entry in some)
    texts = {entry.pk: entry.payload for entry in some}
    for request in requests:
        assert data(request) == f"[{','.join(texts[pk] for pk in request.entry_ids)}]"
        assert len(request.url) <= limit or not request.shared
        assert request.url.isascii()


@given(st.text(st.characters(max_codepoint=127)) | st.text())
def test_a_payload_is_percent_encoded_as_the_vendors_example_is(text):
    """PHP's http_build_query, as Python's quote_plus has it."""
    [request] = PACKING.pack([Entry(1, text)])
    assert f"?data=%5B{quote_plus(text)}%5D&callback=" in request.url


def test_a_requests_repr_shows_neither_address_nor_payload():
    [request] = PACKING.pack([Entry(1, '{"email":"canary@example.com"}')])
    assert "canary" not in repr(request)
    assert "data=" not in repr(request)
