# ruff: noqa: PT009 - Django's own test runner
from django.test import SimpleTestCase

from django_vt.identity import Identity


class VisitorTests(SimpleTestCase):
    databases = {"default"}

    def set_pixel(self) -> str:
        self.assertRedirects(self.client.post("/visitor/pixel/set/"), "/visitor/")
        return self.client.cookies["_vt_user"].value

    def test_the_cookie_has_the_vendors_form(self) -> None:
        self.assertRegex(self.set_pixel(), r"\A\d{16}_\d{18}_false_false\Z")
        self.assertEqual(Identity.from_cookies({"_vt_user": self.set_pixel()}).ways, ("pixel",))

    def test_everybody_gets_ids_of_their_own(self) -> None:
        cookies = [self.set_pixel().split("_") for _ in range(20)]
        self.assertEqual(len({user for user, *_ in cookies}), 20)
        self.assertEqual(len({session for _, session, *_ in cookies}), 20)

    def test_scripts_of_the_page_may_read_it_like_the_vendors_own(self) -> None:
        self.set_pixel()
        self.assertEqual(self.client.cookies["_vt_user"]["httponly"], "")
        self.assertEqual(self.client.cookies["_vt_user"]["samesite"], "Lax")

    def test_the_page_shows_the_cookie_and_what_is_read_from_it(self) -> None:
        value = self.set_pixel()
        page = self.client.get("/visitor/")
        self.assertContains(page, f'<code class="value">{value}</code>')
        self.assertContains(page, f"<code>{value.split('_')[1]}</code>")
        self.assertContains(page, "two ids</strong>")

    def test_the_cookie_can_be_removed(self) -> None:
        self.set_pixel()
        self.client.post("/visitor/pixel/remove/")
        self.assertEqual(self.client.cookies["_vt_user"].value, "")
        self.assertEqual(self.client.cookies["_vt_user"]["max-age"], 0)

    def test_without_it_orders_go_by_the_address(self) -> None:
        self.assertContains(self.client.get("/visitor/"), "e-mail address</strong>")

    def test_a_cookie_of_another_form_is_shown_and_not_believed(self) -> None:
        self.client.cookies["_vt_user"] = "<b>me</b>"
        page = self.client.get("/visitor/")
        self.assertContains(page, "&lt;b&gt;me&lt;/b&gt;")
        self.assertContains(page, "not readable", count=2)
        self.assertContains(page, "e-mail address</strong>")
