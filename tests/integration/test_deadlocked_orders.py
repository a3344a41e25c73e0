"""Two transactions that place the same two orders the other way round: whoever loses, no order is lost."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from django.db import OperationalError, connection, connections, transaction

from django_vt.models import SendLogEntry
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import order

pytestmark = pytest.mark.django_db(transaction=True)


class Till(threading.Thread):
    """Places the orders in one transaction, and as a shop does: again, when the database has undone it."""

    def __init__(self, *numbers: str, meet: threading.Barrier) -> None:
        super().__init__()
        self.numbers, self.meet = numbers, meet
        self.undone = 0
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            while not self.place():
                self.undone += 1
        except Exception as error:  # noqa: BLE001 - it is asserted on
            self.failure = error
        finally:
            connections.close_all()

    def place(self) -> bool:
        try:
            with transaction.atomic():
                Order.objects.create(number=f"{self.name}-{self.undone}", total=1)
                order_placed.send(sender=Order, **order(order_id=self.numbers[0]))
                self.meet_the_other()
                order_placed.send(sender=Order, **order(order_id=self.numbers[1]))
        except OperationalError:
            return False
        return True

    def meet_the_other(self) -> None:
        # On SQLite they cannot meet: the second waits for the first one's end at its BEGIN.
        try:
            self.meet.wait(1)
        except threading.BrokenBarrierError:
            return


def test_orders_that_deadlock_are_recorded_once_each_after_the_shops_own_retry():
    meet = threading.Barrier(2)
    tills = [Till("A", "B", meet=meet), Till("B", "A", meet=meet)]
    for till in tills:
        till.start()
    for till in tills:
        till.join(60)
    assert [till.failure for till in tills] == [None, None]
    assert Counter(SendLogEntry.objects.values_list("reference", flat=True)) == {"A": 1, "B": 1}
    assert Order.objects.count() == 2
    if connection.vendor == "mysql":
        # The loser's whole transaction is gone: it must hear of it, or it would go on without its first order.
        assert sum(till.undone for till in tills) >= 1
