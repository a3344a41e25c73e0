# ruff: noqa: PT009 - Django's own test runner
import re

from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import TestCase
from django.urls import reverse

from django_vt import track
from django_vt.events import Event
from django_vt.identity import Identity
from example_project.shop.models import Product

INLINE = re.compile(r"<script|<style|\sstyle=|\son\w+=|javascript:", re.IGNORECASE)


class PagesTests(TestCase):
    fixtures = ["products"]

    def pages(self) -> list[str]:
        names = ["home", "basket", "checkout", "visitor", "sign-in", "sign-up", "orders"]
        return [reverse(f"shop:{name}") for name in names] + [tea.get_absolute_url() for tea in Product.objects.all()]

    def test_the_home_page_offers_every_tea(self) -> None:
        home = self.client.get("/")
        for tea in Product.objects.all():
            self.assertContains(home, tea.name)
            self.assertContains(home, f'action="{reverse("shop:add-to-basket", args=[tea.slug])}"')

    def test_every_tea_has_its_picture(self) -> None:
        for tea in Product.objects.all():
            self.assertIsNotNone(finders.find(tea.picture_path), tea.picture_path)

    def test_a_teas_page_tells_how_to_brew_it(self) -> None:
        self.assertContains(self.client.get("/teas/jasmine-pearls/"), "75 °C")

    def test_an_unknown_tea_is_not_found(self) -> None:
        self.assertEqual(self.client.get("/teas/coffee/").status_code, 404)

    def assert_pages_are_in_order(self) -> None:
        for page in self.pages():
            html = self.client.get(page, follow=True).content.decode()
            self.assertIsNone(INLINE.search(html), page)
            self.assertEqual(html.count("<h1"), 1, page)
            self.assertEqual(html.count("<main"), 1, page)

    def test_every_page_has_one_heading_and_no_inline_script_or_style(self) -> None:
        self.assert_pages_are_in_order()
        self.client.post("/basket/earl-grey/add/")
        self.assert_pages_are_in_order()
        self.client.force_login(User.objects.create_user("ada"))
        self.assert_pages_are_in_order()

    def test_staff_find_the_send_log_in_the_admin(self) -> None:
        self.client.force_login(User.objects.create_superuser("admin"))
        track(Event("wishlist", {"productId": "EARLGREY-100"}, reference="W-1"), identity=Identity(vtsid="abc"))
        self.assertContains(self.client.get("/admin/"), "/admin/django_vt/sendlogentry/")
        self.assertContains(self.client.get("/admin/django_vt/sendlogentry/"), "W-1")

    def test_the_migrations_are_complete(self) -> None:
        call_command("makemigrations", "shop", check=True, dry_run=True, verbosity=0)
