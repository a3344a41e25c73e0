"""Keeps the shoppers' data in events out of Sentry. It takes one line in the settings::

    sentry_sdk.init(dsn=..., integrations=[VibetraceIntegration()])

The HTTP backend already hides the query of requests to the vendor. This integration removes the rest: in stack traces,
the local variables of this package's functions and of the functions they call; the queries of requests that a shop's
own backend makes; and what staff type on the send log's own pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, dropwhile
from typing import TYPE_CHECKING, Any

from sentry_sdk.integrations import Integration
from sentry_sdk.scope import add_global_event_processor
from sentry_sdk.utils import capture_internal_exceptions, safe_repr

from django_vt.conf import settings

if TYPE_CHECKING:
    from sentry_sdk.types import Breadcrumb, BreadcrumbHint, Event, Hint, Log, Metric, SpanJSON

Item = dict[str, Any]
Hook = Callable[[Any, Any], Any]

PACKAGE = "django_vt"
# The keys, in lower case, under which Sentry keeps data apart from its text: the parts of a URL, a request's cookies
# and body, the parameters of an SQL statement, the context of a template.
PARTS = frozenset(
    {"http.query", "http.fragment", "url.query", "url.fragment", "query_string", "cookies", "db.params", "context"}
    | {"http.request.body.data", "http.request.header.cookie", "http.request.header.referer"}
    | {"http_cookie", "http_referer"}
)
TELLING_HEADERS = frozenset({"cookie", "referer", "x-csrftoken"})
# The path of the send log's pages in every admin site; percent-encoded too, as the login page's `next` has it.
PAGE = r"django_vt(?:/|%2F)sendlogentry"
PAGES = re.compile(PAGE, re.IGNORECASE)
# Bounded, because a text of many such paths would otherwise take quadratic time.
PAGE_WITH_QUERY = re.compile(rf"({PAGE}(?:[\w/-]|%2F){{0,100}})(?:[?#]|%3F|%23)[^\s'\"<>]*", re.IGNORECASE)
LONGEST_PATH = 200
TABLE = "django_vt_"


class VibetraceIntegration(Integration):
    """Scrubs events, transactions, streamed spans and logs for Sentry, even if the project has its own hooks."""

    identifier = PACKAGE

    @staticmethod
    def setup_once() -> None:
        """Called by Sentry."""
        add_global_event_processor(scrub_event)

    def setup_once_with_options(self, options: dict[str, Any] | None = None) -> None:
        """Called by Sentry with the client's `options`.

        Sentry adds a request's form to an event after this package's event processor has run, and streamed spans and
        logs pass no event processor. All of them pass these hooks.
        """
        if options is None:
            return
        for name, scrub in HOOKS.items():
            own = options.get(name) or options.get("_experiments", {}).get(name)
            options[name] = _scrubbing(own or _as_it_is, scrub)
        own = options.get(SPAN_HOOK) or options.get("_experiments", {}).get(SPAN_HOOK)
        options[SPAN_HOOK] = _scrubbing_spans(own or _as_it_is)


def scrub_event(event: Event, hint: Hint) -> Event:
    """The `event`, of an error or a transaction, without shoppers' data. `hint` is ignored.

    It can be used as `before_send` and `before_send_transaction`.
    """
    content: Item = dict(event)
    for frames in _stacks(content):
        # Clear our frames and those they call: Django's have the row as parameters of the statement.
        for frame in dropwhile(lambda frame: not _is_ours(frame), frames):
            frame.pop("vars", None)
    if isinstance(request := content.get("request"), dict):
        content["request"] = _without_form(request)
    scrubbed: Any = _scrubbed(content)
    return scrubbed  # type: ignore[no-any-return]


def scrub_span(span: SpanJSON, hint: Hint) -> SpanJSON:
    """The streamed `span` without shoppers' data. `hint` is ignored.

    It can be used as `before_send_span`.
    """
    scrubbed: Any = _with_attributes(dict(span))
    return scrubbed  # type: ignore[no-any-return]


def scrub_log(log: Log | Metric, hint: Hint) -> Log | Metric:
    """The `log`, or the metric, without shoppers' data. `hint` is ignored.

    It can be used as `before_send_log` and `before_send_metric`.
    """
    scrubbed: Any = _with_attributes(dict(log))
    return scrubbed  # type: ignore[no-any-return]


def scrub_breadcrumb(crumb: Breadcrumb, hint: BreadcrumbHint) -> Breadcrumb:
    """The breadcrumb `crumb` without shoppers' data. `hint` is ignored.

    It can be used as `before_breadcrumb`.
    """
    scrubbed: Any = _scrubbed({**crumb})
    return scrubbed  # type: ignore[no-any-return]


SPAN_HOOK = "before_send_span"
HOOKS: dict[str, Hook] = {
    "before_send": scrub_event,
    "before_send_transaction": scrub_event,
    "before_send_log": scrub_log,
    "before_send_metric": scrub_log,
}


def _as_it_is(item: Any, hint: Any) -> Any:
    return item


def _scrubbing(own: Hook, scrub: Hook) -> Hook:
    def before_send(item: Any, hint: Any) -> Any:
        wanted = own(item, hint)
        return wanted and scrub(wanted, hint)

    return before_send


def _scrubbing_spans(own: Hook) -> Hook:
    def before_send_span(span: SpanJSON, hint: Hint) -> SpanJSON:
        # If the project's hook fails or returns no span, Sentry sends the original span.
        wanted: SpanJSON | None = None
        with capture_internal_exceptions():
            wanted = own(span, hint)
        return scrub_span(wanted or span, hint)

    return before_send_span


def _values(section: Any) -> Iterable[dict[str, Any]]:
    """The members of one of Sentry's lists, which is a plain list or `{"values": […]}`."""
    found: Iterable[dict[str, Any]] = (section.get("values") if isinstance(section, dict) else section) or ()
    return found


def _stacks(event: dict[str, Any]) -> Iterator[Iterable[dict[str, Any]]]:
    """The frames of each stack trace, each caller before the function that it calls."""
    holders = chain([event], _values(event.get("exception")), _values(event.get("threads")))
    for holder in holders:
        yield (holder.get("stacktrace") or {}).get("frames") or ()


def _is_ours(frame: dict[str, Any]) -> bool:
    return str(frame.get("module")).partition(".")[0] == PACKAGE


def _without_form(request: Item) -> Item:
    """The request; if it is for one of the send log's pages, without its form and headers that hold an address."""
    if not PAGES.search(f"{request.get('url')} {request.get('query_string')}"):
        return request
    headers = request.get("headers") or {}
    kept = {name: value for name, value in headers.items() if name.lower() not in TELLING_HEADERS}
    return {**{name: value for name, value in request.items() if name != "data"}, "headers": kept}


def _with_attributes(item: Item) -> Any:
    """The item scrubbed. If an attribute is an object, such as a request, Sentry sends its `repr`, so scrub that."""
    attributes = item.get("attributes") or {}
    told = {
        name: value if isinstance(value, (str, int, float, list, tuple)) else safe_repr(value)
        for name, value in attributes.items()
    }
    return _scrubbed({**item, "attributes": told})


def _scrubbed(value: Any, *, ours: bool = False) -> Any:
    """A copy of the value without the queries of the vendor's URLs and of the send log's pages.

    `ours`: the value belongs to one of these, so the data that Sentry keeps apart from its text are removed too.
    """
    if isinstance(value, str):
        return _without_query(value)
    if isinstance(value, (list, tuple)):
        return [_scrubbed(each, ours=ours) for each in value]
    if not isinstance(value, dict):
        return value
    ours = ours or any(_speaks_of_us(each) for each in value.values())
    return {name: _scrubbed(each, ours=ours) for name, each in value.items() if not (ours and _is_part(name))}


def _is_part(name: object) -> bool:
    return isinstance(name, str) and name.lower() in PARTS


def _speaks_of_us(text: object) -> bool:
    return isinstance(text, str) and (settings.ENDPOINT in text or TABLE in text or bool(PAGES.search(text)))


def _without_query(text: str) -> str:
    address = re.escape(settings.ENDPOINT)
    text = re.sub(rf"({address}[^\s?#]{{0,{LONGEST_PATH}}})[?#]\S*", r"\1", text)
    return PAGE_WITH_QUERY.sub(r"\1", text)
