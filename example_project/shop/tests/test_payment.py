# ruff: noqa: PT009 - Django's own test runner
import json
from http import HTTPStatus

import requests
from django.test import Client, LiveServerTestCase, TestCase

from django_vt.models import RememberedIdentity
from django_vt.testing import captured_events
from example_project.shop.models import Order

BUYER = {"name": "Ada", "email": "ada@example.com", "address": "12 St James's Square"}
PIXEL = "8139618027113397_253412802711339765_false_false"
PIXEL_IDENTITY = "pixel:8139618027113397_253412802711339765"


class PaymentTests(TestCase):
    fixtures = ["products"]

    def order_by_card(self) -> str:
        """Gives the address of the payment page."""
        self.client.post("/basket/earl-grey/add/")
        return self.client.post("/checkout/", {**BUYER, "payment": "card"}).headers["Location"]

    def test_an_order_by_card_leads_to_the_payment_page_and_is_not_reported_yet(self) -> None:
        with captured_events() as events:
            page = self.client.get(self.order_by_card())
        self.assertContains(page, f"Pay order {Order.objects.get().number}")
        self.assertEqual(list(events), [])

    def test_the_callback_of_another_client_reports_it_with_the_shoppers_pixel_ids(self) -> None:
        self.client.cookies.load({"_vt_user": PIXEL})
        payment = self.order_by_card().split("/")[-2]
        provider = Client()
        with captured_events() as events:
            for _ in range(2):
                answer = provider.post("/payment/callback/", {"payment": payment})
                self.assertEqual(answer.status_code, HTTPStatus.NO_CONTENT)
        self.assertEqual(provider.cookies, {})
        self.assertEqual({event.identity for event in events}, {PIXEL_IDENTITY})
        self.assertEqual({event.reference for event in events}, {Order.objects.get().number})
        self.assertEqual(len({event.pk for event in events}), 1)
        self.assertEqual(json.loads(events[0].payload)["items"], [{"id": "EARLGREY-100", "quantity": 1}])
        self.assertFalse(RememberedIdentity.objects.exists())

    def test_without_the_pixel_it_is_reported_by_the_address(self) -> None:
        payment = self.order_by_card().split("/")[-2]
        with captured_events() as events:
            Client().post("/payment/callback/", {"payment": payment})
        self.assertEqual([event.identity for event in events], ["email:ada@example.com"])

    def test_a_payment_that_is_none_is_refused(self) -> None:
        order = Order.objects.create(**BUYER, total=1)
        with captured_events() as events:
            for payment in (str(order.pk), f"{order.pk}:forged", ""):
                answer = self.client.post("/payment/callback/", {"payment": payment})
                self.assertEqual(answer.status_code, HTTPStatus.BAD_REQUEST)
        self.assertEqual(self.client.get(f"/payment/{order.pk}:forged/").status_code, HTTPStatus.NOT_FOUND)
        self.assertEqual(list(events), [])

    def test_an_order_that_has_gone_meanwhile_is_not_found(self) -> None:
        payment = self.order_by_card()
        Order.objects.get().delete()
        self.assertEqual(self.client.get(payment).status_code, HTTPStatus.NOT_FOUND)


class ProviderTests(LiveServerTestCase):
    fixtures = ["products"]

    def test_paying_calls_the_shop_back_over_http_and_leads_back_to_it(self) -> None:
        with requests.Session() as browser:
            browser.trust_env = False
            browser.cookies.set("_vt_user", PIXEL)
            browser.get(f"{self.live_server_url}/")
            token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
            browser.post(f"{self.live_server_url}/basket/earl-grey/add/", data=token)
            page = browser.post(f"{self.live_server_url}/checkout/", data={**token, **BUYER, "payment": "card"})
            with captured_events() as events:
                thanks = browser.post(page.url, data=token)
        self.assertEqual(thanks.url, f"{self.live_server_url}/thank-you/")
        self.assertEqual([event.identity for event in events], [PIXEL_IDENTITY])
