# ruff: noqa: PT009, PT027 - Django's own test runner
import json
from decimal import Decimal
from http import HTTPStatus

from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client, RequestFactory, TestCase

from django_vt.testing import captured_events
from example_project.shop.basket import BasketLine
from example_project.shop.checkout import place_order
from example_project.shop.forms import CheckoutForm
from example_project.shop.models import Order, Product

BUYER = {"name": "Ada", "email": "ada@example.com", "address": "12 St James's Square"}
PIXEL = "8139618027113397_253412802711339765_false_false"


class CheckoutTests(TestCase):
    fixtures = ["products"]

    def order(self, **cookies: str) -> Order:
        self.client.cookies.load(cookies)
        self.client.post("/basket/earl-grey/add/")
        self.client.post("/basket/earl-grey/quantity/", {"quantity": 2})
        self.client.post("/basket/garden-mint/add/")
        self.assertRedirects(self.client.post("/checkout/", BUYER), "/thank-you/")
        return Order.objects.get()

    def test_an_order_is_recorded_for_the_vendor(self) -> None:
        with captured_events() as events:
            order = self.order(_vt_user=PIXEL)
        self.assertEqual([(event.event_type, event.reference) for event in events], [("confirmation", order.number)])
        self.assertEqual(
            json.loads(events[0].payload),
            {
                "userId": "8139618027113397",
                "sessionId": "253412802711339765",
                "type": "confirmation",
                "items": [{"id": "EARLGREY-100", "quantity": 2}, {"id": "MINT-40", "quantity": 1}],
                "generic": {"orderId": order.number, "total": 26.5, "email": "ada@example.com"},
            },
        )

    def test_a_visitor_with_the_pixels_cookie_is_known_by_it(self) -> None:
        with captured_events() as events:
            self.order(_vt_user=PIXEL, _vtsid="abc")
        self.assertEqual(events[0].identity, "pixel:8139618027113397_253412802711339765")

    def test_a_visitor_with_the_sites_own_id_is_known_by_that(self) -> None:
        with captured_events() as events:
            self.order(_vtsid="abc")
        self.assertEqual(events[0].identity, "vtsid:abc")

    def test_a_visitor_without_cookies_is_known_by_the_address_of_the_order(self) -> None:
        with captured_events() as events:
            self.order()
        self.assertEqual(events[0].identity, "email:ada@example.com")

    def test_an_order_that_is_rolled_back_leaves_no_entry(self) -> None:
        request = RequestFactory().post("/checkout/")
        request.user = User.objects.create_user("ada")
        form = CheckoutForm(BUYER)
        self.assertTrue(form.is_valid())
        lines = [BasketLine(Product.objects.get(slug="earl-grey"), 1)]
        with captured_events() as events, self.assertRaises(ZeroDivisionError), transaction.atomic():
            place_order(request, form, lines)
            self.assertEqual(len(events), 1)
            raise ZeroDivisionError
        self.assertEqual(list(events), [])
        self.assertFalse(Order.objects.exists())

    def test_a_form_with_errors_places_no_order(self) -> None:
        self.client.post("/basket/earl-grey/add/")
        with captured_events() as events:
            answer = self.client.post("/checkout/", {**BUYER, "email": "nowhere"})
        self.assertContains(answer, "Enter a valid email address")
        self.assertEqual(list(events), [])
        self.assertFalse(Order.objects.exists())

    def test_an_empty_basket_cannot_be_ordered(self) -> None:
        self.assertRedirects(self.client.post("/checkout/", BUYER), "/basket/")
        self.assertFalse(Order.objects.exists())

    def test_the_lines_keep_name_and_price_of_that_day(self) -> None:
        order = self.order()
        Product.objects.update(name="Tea", price=1)
        Product.objects.get(slug="garden-mint").delete()
        self.assertEqual(order.total, Decimal("26.50"))
        self.assertEqual(
            [(line.name, line.quantity, line.total) for line in order.lines.all()],
            [("Earl Grey", 2, Decimal("19.60")), ("Garden Mint", 1, Decimal("6.90"))],
        )

    def test_the_basket_is_empty_afterwards(self) -> None:
        self.order()
        self.assertEqual(self.client.get("/basket/").context["lines"], [])

    def test_the_buyer_is_thanked_and_nobody_else_sees_the_order(self) -> None:
        order = self.order()
        self.assertContains(self.client.get("/thank-you/"), order.number)
        self.assertEqual(Client().get("/thank-you/").status_code, HTTPStatus.NOT_FOUND)

    def test_the_address_of_somebody_signed_in_is_filled_in(self) -> None:
        self.client.force_login(User.objects.create_user("ada", "ada@example.com"))
        self.client.post("/basket/earl-grey/add/")
        self.assertContains(self.client.get("/checkout/"), 'value="ada@example.com"')
