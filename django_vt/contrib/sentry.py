"""Keeps what events hold of shoppers out of Sentry. One line in the settings::

    sentry_sdk.init(dsn=..., integrations=[VibetraceIntegration()])

The HTTP backend already keeps the vendor's query from whatever watches requests. What is left are the local variables
of this package's functions, and of what they call, in the stack traces of errors, and requests that a shop's own
backend makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, dropwhile
from typing import TYPE_CHECKING, Any

from sentry_sdk.integrations import Integration
from sentry_sdk.scope import add_global_event_processor
from sentry_sdk.utils import capture_internal_exceptions

from django_vt.conf import settings

if TYPE_CHECKING:
    from sentry_sdk.types import Breadcrumb, BreadcrumbHint, Event, Hint, SpanJSON

PACKAGE = "django_vt"
# Under which names Sentry keeps the parts of an address that its text leaves out.
PARTS = ("http.query", "http.fragment", "url.query", "url.fragment")


class VibetraceIntegration(Integration):
    """Scrubs every event, transaction and streamed span before it leaves, whatever hooks the project has of its own."""

    identifier = PACKAGE

    @staticmethod
    def setup_once() -> None:
        """Called by Sentry."""
        add_global_event_processor(scrub_event)

    def setup_once_with_options(self, options: dict[str, Any] | None = None) -> None:
        """Called by Sentry with the client's `options`. Streamed spans pass no event processor, but this hook."""
        if options is not None:
            own = options.get("before_send_span") or options.get("_experiments", {}).get("before_send_span")
            options["before_send_span"] = _scrubbing(own or (lambda span, hint: span))


def scrub_event(event: Event, hint: Hint) -> Event:
    """`event`, an error's or a transaction's, without what tells of a shopper; `hint`, Sentry's own, is not looked at.

    Fit for `before_send` and `before_send_transaction`.
    """
    content: dict[str, Any] = dict(event)
    for frames in _stacks(content):
        # Ours, and what is called from there: Django hands the row on as the parameters of its statement.
        for frame in dropwhile(lambda frame: not _is_ours(frame), frames):
            frame.pop("vars", None)
    for record in chain(_values(content.get("breadcrumbs")), content.get("spans") or ()):
        _cut_queries(record, record.get("data") or {})
    return event


def scrub_span(span: SpanJSON, hint: Hint) -> SpanJSON:
    """The streamed `span` without the vendor's query; `hint`, Sentry's own, is not looked at.

    Fit for `before_send_span`.
    """
    content: dict[str, Any] = dict(span)
    attributes = dict(content.get("attributes") or {})
    _cut_queries(content, attributes)
    scrubbed: Any = {**content, "attributes": attributes}
    return scrubbed  # type: ignore[no-any-return]


def scrub_breadcrumb(crumb: Breadcrumb, hint: BreadcrumbHint) -> Breadcrumb:
    """The breadcrumb `crumb` without the vendor's query; `hint`, Sentry's own, is not looked at.

    Fit for `before_breadcrumb`.
    """
    _cut_queries(crumb, crumb.get("data") or {})
    return crumb


def _scrubbing(own: Callable[[SpanJSON, Hint], SpanJSON | None]) -> Callable[[SpanJSON, Hint], SpanJSON]:
    def before_send_span(span: SpanJSON, hint: Hint) -> SpanJSON:
        # Where the project's hook fails or returns no span, Sentry sends the span as it was.
        wanted: SpanJSON | None = None
        with capture_internal_exceptions():
            wanted = own(span, hint)
        return scrub_span(wanted or span, hint)

    return before_send_span


def _values(section: Any) -> Iterable[dict[str, Any]]:
    """Sentry's lists come bare or as `{"values": […]}`."""
    found: Iterable[dict[str, Any]] = (section.get("values") if isinstance(section, dict) else section) or ()
    return found


def _stacks(event: dict[str, Any]) -> Iterator[Iterable[dict[str, Any]]]:
    """The frames of each stack trace, the caller before what it calls."""
    holders = chain([event], _values(event.get("exception")), _values(event.get("threads")))
    for holder in holders:
        yield (holder.get("stacktrace") or {}).get("frames") or ()


def _is_ours(frame: dict[str, Any]) -> bool:
    return str(frame.get("module")).partition(".")[0] == PACKAGE


def _cut_queries(record: dict[str, Any], data: dict[str, Any]) -> None:
    """Cut the query off each address of the vendor in a breadcrumb or a span, `record`, and in the `data` it holds."""
    if any(str(data.get(name)).startswith(settings.ENDPOINT) for name in ("url", "url.full")):
        for name in PARTS:
            data.pop(name, None)
    for texts in (record, data):
        for name, text in texts.items():
            if isinstance(text, str):
                texts[name] = _without_query(text)


def _without_query(text: str) -> str:
    address = re.escape(settings.ENDPOINT)
    return re.sub(rf"({address}[^\s?#]*)[?#]\S*", r"\1", text)
