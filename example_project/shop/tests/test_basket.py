# ruff: noqa: PT009 - Django's own test runner
from decimal import Decimal
from http import HTTPStatus

from django.test import TestCase

from example_project.shop.models import Product


class BasketTests(TestCase):
    fixtures = ["products"]

    def put(self, slug: str, times: int = 1) -> None:
        for _ in range(times):
            self.client.post(f"/basket/{slug}/add/")

    def basket(self) -> list[tuple[str, int]]:
        lines = self.client.get("/basket/").context["lines"]
        return [(line.product.slug, line.quantity) for line in lines]

    def test_what_is_added_twice_is_there_twice(self) -> None:
        self.put("earl-grey", times=2)
        self.put("garden-mint")
        self.assertEqual(self.basket(), [("earl-grey", 2), ("garden-mint", 1)])

    def test_the_total_is_that_of_all_lines(self) -> None:
        self.put("earl-grey", times=2)
        self.put("garden-mint")
        self.assertEqual(self.client.get("/basket/").context["total"], Decimal("26.50"))

    def test_every_page_shows_how_much_is_in_it(self) -> None:
        self.put("earl-grey", times=3)
        self.assertEqual(self.client.get("/visitor/").context["basket_size"], 3)

    def test_a_quantity_can_be_set(self) -> None:
        self.put("earl-grey")
        self.client.post("/basket/earl-grey/quantity/", {"quantity": 7})
        self.assertEqual(self.basket(), [("earl-grey", 7)])

    def test_a_quantity_of_nought_takes_the_tea_out(self) -> None:
        self.put("earl-grey")
        self.put("garden-mint")
        self.client.post("/basket/earl-grey/quantity/", {"quantity": 0})
        self.assertEqual(self.basket(), [("garden-mint", 1)])

    def test_a_quantity_that_is_none_changes_nothing(self) -> None:
        self.put("earl-grey", times=2)
        for nonsense in ("-1", "100", "many", "", "1.5"):
            answer = self.client.post("/basket/earl-grey/quantity/", {"quantity": nonsense}, follow=True)
            self.assertContains(answer, "from 0 to 99")
        self.assertEqual(self.basket(), [("earl-grey", 2)])

    def test_there_are_never_more_than_99_of_one_tea(self) -> None:
        self.put("earl-grey")
        self.client.post("/basket/earl-grey/quantity/", {"quantity": 99})
        self.put("earl-grey")
        self.assertEqual(self.basket(), [("earl-grey", 99)])

    def test_buy_now_leads_straight_to_the_checkout(self) -> None:
        self.assertRedirects(self.client.post("/basket/earl-grey/buy-now/"), "/checkout/")
        self.assertEqual(self.basket(), [("earl-grey", 1)])

    def test_buy_now_adds_nothing_to_what_is_in_the_basket(self) -> None:
        self.put("earl-grey", times=2)
        self.client.post("/basket/earl-grey/buy-now/")
        self.assertEqual(self.basket(), [("earl-grey", 2)])

    def test_a_tea_that_has_gone_from_the_shop_goes_from_the_basket(self) -> None:
        self.put("earl-grey")
        self.put("garden-mint")
        Product.objects.get(slug="earl-grey").delete()
        self.assertEqual(self.basket(), [("garden-mint", 1)])

    def test_a_link_that_is_only_followed_changes_no_basket(self) -> None:
        for action in ("add", "buy-now", "quantity"):
            answer = self.client.get(f"/basket/earl-grey/{action}/")
            self.assertEqual(answer.status_code, HTTPStatus.METHOD_NOT_ALLOWED)
        self.assertEqual(self.basket(), [])
