"""What the middleware pays: a request through it, against one through a middleware that does nothing."""

from __future__ import annotations

import timeit
from collections.abc import Callable
from functools import partial

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test.utils import CaptureQueriesContext

from benchmarks import orders, scale
from benchmarks.tables import compared
from benchmarks.turns import in_turn, quartiles
from django_vt.middleware import VTIdentityMiddleware

REQUESTS = scale.of(2000, smoke=10)
ROUNDS = scale.of(60, smoke=3)


class Nothing:
    """A middleware that does nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass it on."""
        return self.get_response(request)


def report(_vendor: str) -> str:
    """Microseconds a request, and how many more than nothing."""
    response = HttpResponse()
    ours = VTIdentityMiddleware(lambda _request: response)
    theirs = Nothing(lambda _request: response)
    with CaptureQueriesContext(connection) as queries:
        ours(orders.request())
    measured = in_turn({"nothing": partial(_time, theirs), "VTIdentityMiddleware": partial(_time, ours)}, ROUNDS)
    added = quartiles(measured["VTIdentityMiddleware"])[1] - quartiles(measured["nothing"])[1]
    table = compared("The middleware", "µs a request", measured, "nothing")
    return f"{table}\nIt adds {added:.2f} µs and {len(queries)} queries to a request.\n"


def _time(middleware: Callable[[HttpRequest], object]) -> float:
    request = orders.request()
    return timeit.timeit(lambda: middleware(request), number=REQUESTS) / REQUESTS * 1e6
