from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from django_vt.contrib.sentry import VibetraceIntegration, scrub_breadcrumb, scrub_event, scrub_span

pytestmark = pytest.mark.once

CANARY = "canary"
PLAIN = {"BACKEND": "tests.unit.contrib.sentry_run.PlainBackend"}
# With it the addresses of streamed spans are whole.
STREAM = {"trace_lifecycle": "stream", "send_default_pii": True}
URL = "https://app.vtcdn.net/event/acc123/login"


@pytest.fixture
def sent_to_sentry(process_environment):
    """What a shop sends to Sentry, by the kind of item."""

    def run(**scenario: Any) -> dict[str, list[str]]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.unit.contrib.sentry_run", json.dumps(scenario)],
            check=False, capture_output=True, text=True, timeout=60, env=process_environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        items: dict[str, list[str]] = {}
        for line in done.stdout.splitlines():
            kind, _, content = line.partition(" ")
            items.setdefault(kind, []).append(content)
        return items

    return run


def leaks(items: dict[str, list[str]]) -> set[str]:
    return {kind for kind, contents in items.items() if any(CANARY in content.lower() for content in contents)}


@pytest.mark.parametrize(("protection", "settings"), [("integration", {}), ("hooks", PLAIN)])
@pytest.mark.process
def test_nothing_of_a_shopper_reaches_sentry(sent_to_sentry, protection, settings):
    items = sent_to_sentry(protection=protection, settings=settings)
    assert leaks(items) == set()
    assert len(items["event"]) >= 3
    assert any("/event/acc123/confirmation" in transaction for transaction in items["transaction"])
    assert any("/event/acc123/confirmation" in event for event in items["event"])


@pytest.mark.process
def test_without_protection_requests_hold_nothing_but_local_variables_do(sent_to_sentry):
    items = sent_to_sentry(protection="none")
    assert leaks(items) == {"event"}
    (leaking,) = [json.loads(event) for event in items["event"] if CANARY in event.lower()]
    assert CANARY not in json.dumps(leaking["breadcrumbs"]).lower()


@pytest.mark.process
def test_without_protection_a_plain_backend_leaks(sent_to_sentry):
    assert leaks(sent_to_sentry(protection="none", settings=PLAIN)) == {"event", "transaction"}


@pytest.mark.parametrize(
    ("protection", "settings"), [("none", {}), ("integration", {}), ("integration", PLAIN), ("span-hook", PLAIN)]
)
@pytest.mark.process
def test_streamed_spans_hold_nothing_either(sent_to_sentry, protection, settings):
    items = sent_to_sentry(protection=protection, settings=settings, options=STREAM)
    assert any("/event/acc123/confirmation" in span for span in items["span"])
    assert "span" not in leaks(items)


@pytest.mark.process
def test_without_protection_a_plain_backends_streamed_spans_leak(sent_to_sentry):
    assert "span" in leaks(sent_to_sentry(protection="none", settings=PLAIN, options=STREAM))


def span(**attributes):
    return {"name": f"GET {URL}?data=1", "attributes": attributes}


def test_a_streamed_span_keeps_the_address_and_loses_its_query():
    whole = span(**{"url.full": f"{URL}?data=1", "url.query": "data=1", "http.request.method": "GET"})
    attributes = {"url.full": URL, "http.request.method": "GET"}
    assert scrub_span(whole, {}) == {"name": f"GET {URL}", "attributes": attributes}


def renaming(span, hint):
    return {**span, "name": f"ours: {span['name']}"}


def returning_nothing(span, hint):
    return None


def failing(span, hint):
    raise LookupError


@pytest.mark.parametrize(
    ("own", "name"), [(None, "GET"), (renaming, "ours: GET"), (returning_nothing, "GET"), (failing, "GET")]
)
@pytest.mark.parametrize("given", [lambda hooks: hooks, lambda hooks: {"_experiments": hooks}])
def test_the_projects_own_hook_for_spans_is_called_whatever_it_does(own, name, given):
    options = given({"before_send_span": own})
    VibetraceIntegration().setup_once_with_options(options)
    assert options["before_send_span"](span(), {}) == {"name": f"{name} {URL}", "attributes": {}}


def test_a_sentry_that_gives_no_options_is_borne():
    VibetraceIntegration().setup_once_with_options(None)


def test_a_breadcrumb_keeps_the_address_and_loses_its_query():
    crumb = {"data": {"url": URL, "http.query": "data=1", "http.fragment": "", "http.method": "GET"}}
    assert scrub_breadcrumb(crumb, {}) == {"data": {"url": URL, "http.method": "GET"}}


def test_a_query_within_a_text_is_cut_as_well():
    event = {"spans": [{"description": f"GET {URL}?data=1&ts=2 200", "data": {"url.full": f"{URL}?data=1"}}]}
    assert scrub_event(event, {}) == {"spans": [{"description": f"GET {URL} 200", "data": {"url.full": URL}}]}


def test_other_requests_are_left_as_they_are():
    crumb = {
        "message": "https://example.com/?a=1",
        "data": {"url": "https://example.com/", "http.query": "a=1", "n": 1},
    }
    assert scrub_breadcrumb(json.loads(json.dumps(crumb)), {}) == crumb


@pytest.mark.parametrize("holder", ["exception", "threads"])
def test_only_this_packages_frames_and_what_they_call_lose_their_variables(holder):
    caller, ours, called = (
        {"module": module, "vars": {"a": "1"}}
        for module in ("django_vtx", "django_vt.recording.record", "django.db.backends.utils")
    )
    event = {holder: {"values": [{"stacktrace": {"frames": [caller, ours, called]}}, {"stacktrace": None}]}}
    scrub_event(event, {})
    assert caller == {"module": "django_vtx", "vars": {"a": "1"}}
    assert (ours, called) == ({"module": "django_vt.recording.record"}, {"module": "django.db.backends.utils"})


def test_an_event_without_any_of_it_passes():
    assert scrub_event({"message": "hello", "breadcrumbs": {}, "spans": None}, {}) == {
        "message": "hello", "breadcrumbs": {}, "spans": None,
    }  # fmt: skip
