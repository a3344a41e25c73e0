# ruff: noqa: PT009 - Django's own test runner
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.test import TestCase

from django_vt.testing import captured_events
from example_project.shop.models import Order

ADDRESS = "ada@example.com"
PASSWORD = "two-steeps-please"  # noqa: S105


class SignInTests(TestCase):
    user: User

    @classmethod
    def setUpTestData(cls) -> None:
        cls.user = User.objects.create_user(ADDRESS, ADDRESS, PASSWORD)

    def test_a_sign_in_is_recorded_for_the_vendor(self) -> None:
        with captured_events() as events:
            self.assertRedirects(self.client.post("/sign-in/", {"username": ADDRESS, "password": PASSWORD}), "/")
        self.assertEqual([(event.event_type, event.identity) for event in events], [("login", f"email:{ADDRESS}")])

    def test_the_case_of_the_address_does_not_matter(self) -> None:
        self.client.post("/sign-in/", {"username": "Ada@Example.com", "password": PASSWORD})
        self.assertEqual(get_user(self.client), self.user)

    def test_a_wrong_password_is_told_and_not_recorded(self) -> None:
        with captured_events() as events:
            answer = self.client.post("/sign-in/", {"username": ADDRESS, "password": "one steep"})
        self.assertEqual(answer.context["form"].non_field_errors().as_data()[0].code, "invalid_login")
        self.assertEqual(list(events), [])

    def test_it_leads_back_to_where_one_came_from(self) -> None:
        form = {"username": ADDRESS, "password": PASSWORD, "next": "/visitor/"}
        self.assertRedirects(self.client.post("/sign-in/", form), "/visitor/")

    def test_staff_who_sign_in_to_the_admin_are_not_recorded(self) -> None:
        User.objects.create_superuser("admin", "staff@example.com", PASSWORD)
        with captured_events() as events:
            self.client.post("/admin/login/", {"username": "admin", "password": PASSWORD})
        self.assertEqual(get_user(self.client).get_username(), "admin")
        self.assertEqual(list(events), [])

    def test_signing_out_signs_out(self) -> None:
        self.client.force_login(self.user)
        self.client.post("/sign-out/")
        self.assertTrue(get_user(self.client).is_anonymous)


class SignUpTests(TestCase):
    def sign_up(self, email: str) -> None:
        self.answer = self.client.post("/sign-up/", {"email": email, "password1": PASSWORD, "password2": PASSWORD})

    def test_a_new_account_is_signed_in_and_recorded_as_a_login(self) -> None:
        with captured_events() as events:
            self.sign_up("Ada@Example.com")
        self.assertRedirects(self.answer, "/")
        self.assertEqual(get_user(self.client), User.objects.get(username=ADDRESS, email=ADDRESS))
        self.assertEqual([event.identity for event in events], [f"email:{ADDRESS}"])

    def test_an_address_has_one_account(self) -> None:
        User.objects.create_user(ADDRESS, ADDRESS)
        self.sign_up("ADA@example.com")
        self.assertContains(self.answer, "There is an account with this address already")
        self.assertEqual(User.objects.count(), 1)

    def test_a_password_that_everybody_has_is_refused(self) -> None:
        form = {"email": ADDRESS, "password1": "password", "password2": "password"}
        self.assertContains(self.client.post("/sign-up/", form), "too common")
        self.assertFalse(User.objects.exists())


class OrdersTests(TestCase):
    def test_they_are_for_those_who_are_signed_in(self) -> None:
        self.assertRedirects(self.client.get("/orders/"), "/sign-in/?next=/orders/")

    def test_everybody_sees_their_own(self) -> None:
        ada, bob = User.objects.create_user("ada"), User.objects.create_user("bob")
        hers = Order.objects.create(user=ada, name="Ada", email=ADDRESS, address="London", total=1)
        Order.objects.create(user=bob, name="Bob", email="bob@example.com", address="Paris", total=1)
        Order.objects.create(name="A guest", email="guest@example.com", address="Rome", total=1)
        self.client.force_login(ada)
        self.assertEqual(list(self.client.get("/orders/").context["orders"]), [hers])
