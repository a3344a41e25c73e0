# ruff: noqa: PT009 - Django's own test runner
from datetime import timedelta
from io import StringIO
from pathlib import Path

from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import TestCase

import example_project
from django_vt.models import SendLogEntry
from example_project.shop.models import Order

BUYER = {"name": "Ada", "email": "ada@example.com", "address": "12 St James's Square"}
PHONE_ORDERS = Path(example_project.__file__).parent / "phone-orders.jsonl"


class UnreportedTests(TestCase):
    fixtures = ["products"]

    def run_command(self, *arguments: str) -> str:
        printed = StringIO()
        call_command(*arguments, stdout=printed)
        return printed.getvalue()

    def test_an_import_that_forgets_the_signal_is_found_and_reported(self) -> None:
        self.client.post("/basket/earl-grey/add/")
        self.client.post("/checkout/", {**BUYER, "payment": "invoice"})
        self.assertEqual(self.run_command("import_phone_orders", str(PHONE_ORDERS)), "Imported: 100002, 100003.\n")
        with self.assertRaisesMessage(CommandError, "2 orders without an entry."):
            self.run_command("find_unreported_orders")
        self.assertTrue(self.run_command("find_unreported_orders", "--report").startswith("100002\n100003\n"))
        recorded = SendLogEntry.objects.order_by("id").values_list("reference", "identity")
        self.assertEqual([*recorded][1:], [("100002", "email:grace@example.com"), ("100003", "email:alan@example.com")])

    def test_an_order_by_card_counts_when_it_is_paid(self) -> None:
        self.client.post("/basket/earl-grey/add/")
        payment = self.client.post("/checkout/", {**BUYER, "payment": "card"}).headers["Location"].split("/")[-2]
        self.assertIn("0 orders without", self.run_command("find_unreported_orders"))
        self.client.post("/payment/callback/", {"payment": payment})
        SendLogEntry.objects.all().delete()
        with self.assertRaisesMessage(CommandError, "1 order without an entry."):
            self.run_command("find_unreported_orders")
        Order.objects.update(confirmed_at=F("confirmed_at") - timedelta(days=8))
        self.assertIn("0 orders without", self.run_command("find_unreported_orders"))
