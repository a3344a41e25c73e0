"""What fails in recording never reaches the shopper and is told once; only a transaction that is gone is the shop's."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.contrib.auth import user_logged_in
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.utils.functional import SimpleLazyObject

from django_vt import dispatchers, track
from django_vt.adapters import report
from django_vt.models import SendLogEntry
from django_vt.models.fast_sql import SAVEPOINT
from django_vt.models.send_log import Status
from django_vt.recording import shield
from django_vt.recording.shield import Shield
from django_vt.signals import order_placed
from tests.projects.shop.models import Order
from tests.support.ordering import BUYER, PIXEL, confirmation, order, request_with, visitor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _manual(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}


@pytest.fixture
def _no_table(transactional_db) -> Iterator[None]:
    quote = connection.ops.quote_name
    table, away = quote(SendLogEntry._meta.db_table), quote("away")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {away}")
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {away} RENAME TO {table}")


def in_a_transaction(act):
    with transaction.atomic():
        Order.objects.create(number="100023", total=1)
        act()


def order_in_a_transaction(**changes):
    in_a_transaction(lambda: order_placed.send(sender=Order, **order(**{"request": visitor(), **changes})))


def order_without_one():
    Order.objects.create(number="100023", total=1)
    order_placed.send(sender=Order, **order(request=visitor()))


@pytest.mark.usefixtures("_no_table")
@pytest.mark.parametrize("place", [order_in_a_transaction, order_without_one])
def test_without_the_table_the_order_is_committed_and_one_error_says_so(place, caplog):
    caplog.set_level(logging.DEBUG)
    place()
    assert Order.objects.get().number == "100023"
    assert [(record.name, record.levelname) for record in caplog.records] == [("django_vt.recording", "ERROR")]
    assert caplog.messages == [f"Could not record confirmation 100023: {missing_table_error()}"]


@pytest.mark.usefixtures("_no_table")
def test_without_the_table_an_order_that_cannot_be_sent_is_no_other_error(caplog):
    order_in_a_transaction(total=None)
    assert Order.objects.exists()
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]


@pytest.mark.usefixtures("_no_table")
def test_without_the_table_the_error_is_raised_where_the_project_wants_it(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "FAIL_SILENTLY": False}
    with pytest.raises(DatabaseError):
        order_in_a_transaction()
    assert not Order.objects.exists()


def missing_table_error():
    error, code = {
        "sqlite": ("OperationalError", "no such table"),
        "postgresql": ("ProgrammingError", "42P01"),
        "mysql": ("ProgrammingError", 1146),
    }[connection.vendor]
    return f"{error} ({code}), a table is missing: run `manage.py migrate`"


def test_an_error_in_the_insert_costs_the_order_nothing(caplog):
    with failing({"INSERT INTO": OperationalError(BUYER)}):
        order_in_a_transaction(email=BUYER)
    assert Order.objects.exists()
    assert not SendLogEntry.objects.exists()
    assert caplog.messages == ["Could not record confirmation 100023: OperationalError"]


@pytest.mark.parametrize("error", [OperationalError, RuntimeError])
def test_a_statement_that_never_reaches_the_database_costs_the_order_nothing(error):
    """No savepoint was set, in the way that sends it along; PostgreSQL aborts over one that does not exist."""

    def refuse(run, sql, params, many, context):
        if "INSERT INTO" in sql and "sendlogentry" in sql:
            raise error
        return run(sql, params, many, context)

    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        with connection.execute_wrapper(refuse):
            order_placed.send(sender=Order, **order(request=visitor()))
        Order.objects.create(number="2", total=1)
    assert Order.objects.count() == 2


def test_a_wake_that_raises_does_not_reach_the_shopper(monkeypatch):
    def failing_wake(using):
        raise LookupError

    monkeypatch.setattr(dispatchers, "wake", failing_wake)
    order_in_a_transaction()
    assert SendLogEntry.objects.get().status == Status.PENDING


@contextmanager
def failing(errors):
    """Raises for statements on the send log that begin so, and for those about savepoints, in place of running them."""

    def execute(run, sql, params, many, context):
        for beginning, error in errors.items():
            statement = sql.removeprefix(f"{SAVEPOINT}; ")
            if statement.startswith(beginning) and ("sendlogentry" in sql or "SAVEPOINT" in sql):
                if statement != sql:  # PostgreSQL gets both in one, and refuses what follows
                    with suppress(DatabaseError):
                        run(f"{SAVEPOINT}; SELECT 1 / 0", None, many, context)
                raise error
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


DEADLOCK = {
    # As MariaDB's 1213: the whole transaction is rolled back, savepoints and all.
    "INSERT INTO": OperationalError(1213, "Deadlock found when trying to get lock"),
    "ROLLBACK TO SAVEPOINT": OperationalError(1305, "SAVEPOINT does not exist"),
}


def test_an_error_that_took_the_transaction_with_it_is_the_shops_to_retry(caplog):
    with pytest.raises(OperationalError, match="1213"), failing(DEADLOCK):
        order_in_a_transaction()
    assert not Order.objects.exists()
    assert caplog.records == []
    order_in_a_transaction()
    assert SendLogEntry.objects.get().status == Status.PENDING


def test_it_is_looked_for_on_the_orders_own_database(monkeypatch):
    monkeypatch.setattr(shield, "default_alias", lambda: "another")
    with pytest.raises(OperationalError, match="1213"), failing(DEADLOCK):
        order_in_a_transaction(using="default")


def test_it_is_raised_where_a_project_makes_another_error_of_it():
    class User:
        @property
        def is_authenticated(self):
            try:
                with transaction.atomic():
                    SendLogEntry.objects.count()
            except OperationalError:
                raise LookupError from None

    request = request_with()
    request.user = User()
    once_lost = {"SELECT COUNT": DEADLOCK["INSERT INTO"], "ROLLBACK TO SAVEPOINT": DEADLOCK["ROLLBACK TO SAVEPOINT"]}
    with pytest.raises(LookupError), failing(once_lost):
        order_in_a_transaction(request=request)
    assert not Order.objects.exists()


def test_an_order_that_cannot_be_sent_is_raised_with_a_lost_transaction_too():
    with pytest.raises(OperationalError, match="1213"), failing(DEADLOCK):
        order_in_a_transaction(total=None)


def lose_the_transaction(*_asked_about):
    """Any code of the shop's: its query is the victim of a deadlock."""
    return SendLogEntry.objects.count()


@contextmanager
def deadlock_at_the_count():
    """From then on there is no savepoint left."""
    lost = []

    def execute(run, sql, params, many, context):
        if sql.startswith("SELECT COUNT"):
            lost.append(sql)
            raise DEADLOCK["INSERT INTO"]
        if lost and sql.startswith("ROLLBACK TO SAVEPOINT"):
            raise DEADLOCK["ROLLBACK TO SAVEPOINT"]
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


@pytest.mark.parametrize(
    ("account_id", "changes"),
    [
        (f"{__name__}.lose_the_transaction", {"total": None}),
        ("acc123", {"email": "a\0@example.com", "identity": SimpleLazyObject(lose_the_transaction)}),
    ],
    ids=["account", "identity"],
)
def test_a_transaction_lost_while_what_is_left_of_an_unusable_order_is_kept_is_the_shops(account_id, changes, settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "ACCOUNT_ID": account_id}
    with pytest.raises(OperationalError, match="1213"), deadlock_at_the_count():
        order_in_a_transaction(**changes)
    assert not Order.objects.exists()


def test_a_transaction_lost_while_an_order_is_asked_for_its_number_is_the_shops():
    def unusable():
        raise LookupError

    with pytest.raises(OperationalError, match="1213"), deadlock_at_the_count():
        in_a_transaction(lambda: report(unusable, reference=SimpleLazyObject(lose_the_transaction)))
    assert not Order.objects.exists()


def test_a_transaction_lost_while_a_user_is_asked_for_the_address_is_the_shops():
    class Customer:
        is_staff = False
        get_email_field_name = staticmethod(lambda: "email")
        email = property(lose_the_transaction)

        def save(self, **_fields):
            """Django's own receiver notes the time."""

    with pytest.raises(OperationalError, match="1213"), deadlock_at_the_count():
        in_a_transaction(lambda: user_logged_in.send(sender=Customer, request=request_with(), user=Customer()))
    assert not Order.objects.exists()


def test_an_order_is_recorded_though_the_kept_connection_is_dead(monkeypatch):
    """The server has closed it in a quiet hour, and the first statement finds that out."""
    errors = [OperationalError("server closed the connection unexpectedly")]

    def find_out(run, sql, params, many, context):
        if errors:
            raise errors.pop()
        return run(sql, params, many, context)

    connection.ensure_connection()
    monkeypatch.setattr(connection, "is_usable", lambda: False)
    with connection.execute_wrapper(find_out):
        track(confirmation(email=BUYER))
    assert errors == []
    assert SendLogEntry.objects.get().status == Status.PENDING


def test_an_order_of_which_two_things_cannot_be_used_is_skipped():
    order_placed.send(sender=Order, **order(email="a\0@example.com", items="123"))
    assert SendLogEntry.objects.get().status == Status.SKIPPED


def test_outside_a_transaction_a_deadlock_is_told_and_raises_nothing(caplog):
    with failing({"INSERT INTO": DEADLOCK["INSERT INTO"]}):
        order_without_one()
    assert Order.objects.exists()
    assert caplog.messages == ["Could not record confirmation 100023: OperationalError (1213)"]


def test_a_transaction_that_the_shop_has_broken_stays_the_shops(caplog):
    with transaction.atomic():
        Order.objects.create(number="1", total=1)
        with pytest.raises(IntegrityError):
            Order.objects.create(number="1", total=1)
        order_placed.send(sender=Order, **order(request=visitor()))
        assert caplog.messages == ["Could not record confirmation 100023: TransactionManagementError"]
        with pytest.raises(TransactionManagementError):
            Order.objects.count()
    assert not Order.objects.exists()
    assert not SendLogEntry.objects.exists()


def test_a_transaction_that_only_the_database_knows_to_be_broken_raises_nothing_either():
    """The shop has swallowed an error of its own: PostgreSQL refuses all that comes after it."""
    with transaction.atomic():
        with connection.cursor() as cursor, suppress(DatabaseError):
            cursor.execute("SELECT nothing FROM nowhere")
        order_placed.send(sender=Order, **order(request=visitor()))


@contextmanager
def blind(times):
    """The first looks for a key find nothing: as if another had recorded it just after them."""
    left = [times]

    def execute(run, sql, params, many, context):
        if sql.startswith("SELECT") and "sendlogentry" in sql and left[0]:
            left[0] -= 1
            params = ("nobody's",)
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


@pytest.mark.parametrize("place", [order_in_a_transaction, order_without_one])
def test_an_order_that_another_records_between_look_and_insert_is_found_again(place, caplog):
    first = track(confirmation(), identity=PIXEL)
    with blind(times=1):
        place()
    assert SendLogEntry.objects.get() == first
    assert Order.objects.exists()
    assert caplog.records == []


def test_an_order_that_failed_is_renewed_in_that_race_too():
    track(confirmation(), identity=PIXEL)
    SendLogEntry.objects.update(status=Status.FAILED, due_at=None)
    with blind(times=1):
        order_in_a_transaction()
    assert SendLogEntry.objects.get().status == Status.PENDING


def test_a_key_that_can_neither_be_found_nor_inserted_is_told_and_raises_nothing(caplog):
    track(confirmation(), identity=PIXEL)
    with blind(times=2):
        order_in_a_transaction()
    assert Order.objects.exists()
    [message] = caplog.messages
    assert message.startswith("Could not record confirmation 100023: IntegrityError")


@pytest.mark.parametrize("using", ["no-such-database", "", 5, ["default"], object()])
def test_an_order_for_an_unknown_database_is_skipped_with_the_reason(using, caplog):
    order_in_a_transaction(using=using)
    entry = SendLogEntry.objects.get()
    assert (entry.status, entry.reason, entry.reference) == (Status.SKIPPED, "invalid: using", "100023")
    assert caplog.messages == ["An event cannot be sent: using: is no alias in DATABASES"]


def test_track_for_an_unknown_database_raises_nothing(caplog):
    assert track(confirmation(), request=visitor(), using="no-such-database") is None
    assert caplog.messages == ["Could not record confirmation 100023: ConnectionDoesNotExist"]


def test_errors_other_than_the_databases_are_raised_where_the_project_wants_them(settings):
    settings.DJANGO_VT = {**settings.DJANGO_VT, "FAIL_SILENTLY": False}
    with pytest.raises(AttributeError):
        track("junk", request=visitor())
    with pytest.raises(AttributeError):
        track(confirmation(), identity="junk")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_process_is_not_held_up(error):
    with pytest.raises(error), Shield("an event"):
        raise error


def test_a_transaction_that_breaks_in_its_block_without_an_error_is_raised():
    with pytest.raises(TransactionManagementError), transaction.atomic(), Shield("an event"):
        transaction.set_rollback(True)
