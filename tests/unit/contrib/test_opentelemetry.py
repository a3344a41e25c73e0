"""OpenTelemetry needs no adapter: its instrumentations of requests and urllib3 see addresses without their queries."""

from __future__ import annotations

import pytest
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from django_vt import track
from django_vt.delivery import deliver_due
from django_vt.events import Event
from django_vt.identity import Identity
from django_vt.testing import Answer
from tests.support.misbehaviour import ResetAfterReading

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]

CANARY = "canary"
ADDRESS = "canary.bird@leak.example"


@pytest.fixture
def spans():
    """An exporter that keeps what the instrumented libraries tell."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentors = [RequestsInstrumentor(), URLLib3Instrumentor()]
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    yield exporter
    for instrumentor in instrumentors:
        instrumentor.uninstrument()
    provider.shutdown()


@pytest.fixture(autouse=True)
def _delivered_by_the_test(settings, fake_vendor):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}


def deliver_one() -> None:
    track(Event("wishlist"), identity=Identity(email=ADDRESS))
    deliver_due()


def test_a_request_is_traced_without_its_query(fake_vendor, spans):
    deliver_one()
    assert [event["email"] for event in fake_vendor.events] == [ADDRESS]
    (span,) = spans.get_finished_spans()
    assert f"{fake_vendor.endpoint}/acc123/wishlist" in (span.attributes or {}).values()
    assert CANARY not in span.to_json().lower()


@pytest.mark.parametrize("misbehaviour", [Answer(500), ResetAfterReading()], ids=["answered 500", "reset"])
def test_nor_does_a_failed_request_leave_its_query_in_a_trace(fake_vendor, spans, misbehaviour):
    fake_vendor.misbehave(misbehaviour)
    deliver_one()
    (span,) = spans.get_finished_spans()
    assert "/acc123/wishlist" in span.to_json()
    assert CANARY not in span.to_json().lower()


def test_nor_does_a_refused_connection(fake_vendor, spans):
    fake_vendor.refuse()
    deliver_one()
    (span,) = spans.get_finished_spans()
    assert span.events
    assert CANARY not in span.to_json().lower()
