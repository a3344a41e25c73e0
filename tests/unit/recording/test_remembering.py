"""What a shopper's cookies said at checkout is there when the payment's callback confirms the order, and then gone."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync
from django.db import IntegrityError, connection, transaction
from django.test import RequestFactory

from django_vt import aremember_identity, remember_identity
from django_vt.exceptions import InvalidField
from django_vt.identity import Identity
from django_vt.models import RememberedIdentity, SendLogEntry
from django_vt.recording import attribution, event_loop
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, PIXEL, PIXEL_COOKIE, place, request_with, visitor

pytestmark = pytest.mark.django_db


def callback():
    """The payment provider's request: nothing in it is the shopper's."""
    return RequestFactory().post("/payment/callback/")


def stored():
    [row] = RememberedIdentity.objects.all()
    return row


@pytest.fixture
def _no_table(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_vt_rememberedidentity RENAME TO django_vt_elsewhere")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_vt_elsewhere RENAME TO django_vt_rememberedidentity")


def test_the_confirmation_of_the_order_carries_the_shoppers_pixel_ids():
    remember_identity(visitor(), "100023")
    entry = place(request=callback(), email=BUYER)
    assert entry.identity == PIXEL.stored_form
    assert (entry.event["userId"], entry.event["sessionId"]) == (PIXEL.user_id, PIXEL.session_id)
    assert "_vtsid" not in entry.event
    assert "email" not in entry.event


def test_an_order_confirmed_without_any_request_carries_them_too():
    remember_identity(visitor(), "100023")
    assert place().identity == PIXEL.stored_form


def test_it_is_forgotten_after_use():
    remember_identity(visitor(), "100023")
    place()
    assert not RememberedIdentity.objects.exists()


def test_it_is_still_there_days_later(clock):
    remember_identity(visitor(), "100023")
    clock.advance(timedelta(days=9).total_seconds())
    assert place().identity == PIXEL.stored_form


def test_another_order_does_not_get_it():
    remember_identity(visitor(), "100024")
    assert place(email=BUYER).identity == f"email:{BUYER}"
    assert RememberedIdentity.objects.count() == 1


@pytest.mark.parametrize(("way", "form"), [("pixel", PIXEL.stored_form), ("vtsid", "vtsid:site-1")])
def test_every_way_known_at_checkout_is_kept_for_the_settings_to_choose(settings, way, form):
    remember_identity(request_with(_vt_user=PIXEL_COOKIE, _vtsid="site-1"), "100023")
    settings.DJANGO_VT = {**settings.DJANGO_VT, "IDENTIFY_BY": (way,)}
    assert place().identity == form


def test_an_identity_that_the_shop_has_given_the_request_is_the_one_kept():
    request = visitor()
    request.vt_identity = Identity(vtsid="of-the-shop")
    remember_identity(request, "100023")
    assert place().identity == "vtsid:of-the-shop"


def test_the_order_may_be_named_by_its_primary_key():
    remember_identity(visitor(), 100023)
    assert place(order_id=100023).identity == PIXEL.stored_form


def test_a_second_call_replaces_the_first(clock):
    remember_identity(visitor(), "100023")
    later = clock.advance(60)
    remember_identity(request_with(_vtsid="site-1"), "100023")
    assert stored().created_at == later
    assert place().identity == "vtsid:site-1"


def test_a_visitor_without_ids_changes_nothing():
    remember_identity(request_with(), "100023")
    assert not RememberedIdentity.objects.exists()
    remember_identity(visitor(), "100023")
    remember_identity(request_with(), "100023")
    assert place().identity == PIXEL.stored_form


def test_what_is_stored_names_neither_order_nor_address():
    remember_identity(visitor(), "100023")
    assert "100023" not in f"{stored().key} {stored().identity} {stored()}"
    assert PIXEL.user_id not in str(stored())


def test_nothing_is_remembered_where_the_app_is_off(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ENABLED": False}
    remember_identity(visitor(), "100023")
    assert not RememberedIdentity.objects.exists()


def test_it_is_rolled_back_with_the_order():
    with transaction.atomic():
        remember_identity(visitor(), "100023")
        transaction.set_rollback(True)
    assert not RememberedIdentity.objects.exists()


def test_another_request_that_remembers_at_the_same_moment_is_no_error(monkeypatch, caplog):
    write, calls = attribution._write_remembered, []

    def second_comes_first(key, text, using):
        calls.append(key)
        if len(calls) == 1:
            raise IntegrityError("UNIQUE constraint failed")
        write(key, text, using)

    monkeypatch.setattr(attribution, "_write_remembered", second_comes_first)
    remember_identity(visitor(), "100023")
    assert len(calls) == 2
    assert place().identity == PIXEL.stored_form
    assert not caplog.records


@pytest.mark.usefixtures("_no_table")
def test_a_missing_table_does_not_fail_the_checkout(caplog):
    with transaction.atomic():
        Order.objects.create(number="100023", total=1)
        remember_identity(visitor(), "100023")
    assert Order.objects.exists()
    [record] = caplog.records
    assert record.name == "django_vt.recording"
    assert record.getMessage().startswith("Could not record whose order it is: ")
    assert record.exc_info is None


class NoTenant:
    """A router of a project's that knows no database outside a tenant."""

    def db_for_write(self, model, **hints):
        raise RuntimeError(BUYER)


def test_a_router_that_raises_does_not_fail_the_checkout(settings, caplog):
    settings.DATABASE_ROUTERS = [NoTenant()]
    remember_identity(visitor(), "100023")
    assert caplog.messages == ["Could not record whose order it is: RuntimeError"]


def test_an_order_named_by_what_holds_itself_does_not_fail_the_checkout(caplog):
    endless: list[object] = []
    endless.append(endless)
    remember_identity(visitor(), endless)
    assert caplog.messages == ["Could not record whose order it is: InvalidField"]


@pytest.mark.parametrize("reference", ["", None, "\0", object(), "x" * 256])
def test_an_order_without_a_usable_name_is_logged_and_not_remembered(caplog, reference):
    remember_identity(visitor(), reference)
    assert caplog.messages == ["Could not record whose order it is: InvalidField"]
    assert not RememberedIdentity.objects.exists()


def test_errors_are_raised_where_the_shop_wants_them(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "FAIL_SILENTLY": False}
    with pytest.raises(InvalidField, match="reference"):
        remember_identity(visitor(), "")


@pytest.mark.django_db(transaction=True)
def test_async_code_remembers():
    async_to_sync(aremember_identity)(visitor(), "100023")
    assert place().identity == PIXEL.stored_form


@pytest.mark.django_db(transaction=True)
def test_the_sync_form_on_an_event_loop_remembers_all_the_same(monkeypatch):
    monkeypatch.setattr(event_loop._warned, "is_set", lambda: True)

    async def checkout():
        remember_identity(visitor(), "100023")

    async_to_sync(checkout)()
    assert place().identity == PIXEL.stored_form


@pytest.mark.django_db(transaction=True)
@pytest.mark.process
def test_another_process_uses_it(process_environment):
    remember_identity(visitor(), "100023")
    code = """
        import django
        django.setup()
        from tests.support.ordering import order
        from django_vt.signals import order_placed
        order_placed.send(sender=None, **order())
    """
    environment = {**process_environment, "PYTHONDEVMODE": ""}
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, timeout=60, check=True)
    assert SendLogEntry.objects.get().identity == PIXEL.stored_form
    assert not RememberedIdentity.objects.exists()
