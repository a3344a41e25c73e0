"""What an order, a claim, a batch and its settlement cost: how many statements, and how many bytes go over the wires.

A guard that no clock moves: whoever adds a statement or a column to one of these has to say so here.
"""

from __future__ import annotations

import socket
import threading
from urllib.parse import quote_plus

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from django_vt import track
from django_vt.delivery import DeliveryReport, deliver_due
from django_vt.delivery.claim import Claimer
from django_vt.models import SendLogEntry
from django_vt.protocol.packing import Packing
from tests.support.delivering import configure, pending, statements
from tests.support.ordering import BUYER, confirmation, visitor

pytestmark = pytest.mark.django_db

BATCH = 20
HTTP = "django_vt.backends.http.HttpBackend"
PACKING = Packing("http://127.0.0.1/event", "vt", BATCH, 8000)


class Cost(CaptureQueriesContext):
    """Of the statements in a block."""

    def verbs(self):
        return statements(self.captured_queries)

    def bytes(self):
        """Of all the SQL, with its parameters."""
        return sum(len(query["sql"]) for query in self.captured_queries)


@pytest.fixture
def cost():
    return Cost(connection)


def test_an_order_costs_less_than_a_kilobyte_of_sql(cost):
    request = visitor()
    with transaction.atomic(), cost:
        track(confirmation(email=BUYER), request=request)
    assert cost.bytes() < 1_000


def test_a_claim_of_eighty_costs_a_statement_where_the_database_can_and_their_ids_twice(cost):
    pending(81)
    take(1)  # which also makes the endpoint's row
    with cost:
        claim = take(80)
    assert len(claim.entries) == 80
    # The clock, how the endpoints are doing, what a wrong clock put off; then the claim.
    *before, claiming = cost.verbs()[:4]
    assert before == ["SELECT", "SELECT", "UPDATE"]
    assert (claiming, len(cost.verbs())) == (("SELECT", 6) if connection.vendor == "mysql" else ("WITH", 4))
    ids = sum(len(f"{entry.pk}, ") for entry in claim.entries)
    assert cost.bytes() < 2 * ids + 2_000


def test_settling_a_batch_costs_one_statement_and_its_ids(cost):
    entries = pending(2 * BATCH)
    deliver_due(limit=BATCH)  # which also notes the first success of the minute
    with cost:
        assert deliver_due(limit=BATCH).sent == BATCH
    [settling] = [query["sql"] for query in cost.captured_queries if "status = 'sent'" in query["sql"]]
    assert settling.startswith("UPDATE")
    ids = sum(len(f"{entry.pk}, ") for entry in entries[BATCH:])
    assert len(settling) < ids + 400


def test_a_batch_is_one_request_of_its_events_and_less_than_three_hundred_bytes_more(settings):
    pending(BATCH)
    with Recorder() as recorder:
        configure(settings, ENDPOINT=f"http://127.0.0.1:{recorder.port}/event", BACKEND=HTTP)
        assert deliver_due() == DeliveryReport(requests=1, sent=BATCH)
    [head] = recorder.heads
    events = SendLogEntry.objects.order_by("pk").values_list("payload", flat=True)
    assert quote_plus(f"[{','.join(events)}]") in head
    assert len(head) - len(quote_plus(f"[{','.join(events)}]")) < 300


def take(limit):
    return Claimer("default").take(limit=limit)


class Recorder(threading.Thread):
    """A server that keeps the heads of requests as they came, byte by byte, on one connection."""

    def __init__(self):
        super().__init__()
        self.heads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.join(10)
        self.listener.close()

    def run(self):
        connection, _ = self.listener.accept()
        with connection, connection.makefile("rb") as stream:
            head = b""
            while line := stream.readline():
                head += line
                if line == b"\r\n":
                    self.heads.append(head.decode("ascii"))
                    head = b""
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
