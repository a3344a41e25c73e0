from __future__ import annotations

import pytest

from django_vt import conf
from tests.unit.checks.conftest import ACCOUNT

pytestmark = pytest.mark.any_database

BOOLS = ("ENABLED", "TRUST_ENV", "FAIL_SILENTLY")
WRONG = [
    ("ACCOUNT_ID", [123, ["acc123"], {}, {1: "acc123"}, {"one.ro": None}]),
    ("ENDPOINT", [None, 1, b"https://app.vtcdn.net/event"]),
    *((key, [0, 1, None, "False", "yes", []]) for key in BOOLS),
    ("BACKEND", [None, 1, ["a.b"]]),
    ("DISPATCHER", [None, 1, {}]),
    ("CALLBACK", ["", 5, False, "\ud800", "x" * 256, []]),
    ("TIMEOUT", [10, (10,), (1, 2, 3), (0, 10), (-1, 10), (True, 10), ("1", "2"), "12", None, (float("nan"), 1)]),
    ("BATCH_SIZE", [0, -1, 901, 20.0, True, "20", None, [20]]),
    ("MAX_URL_LENGTH", [0, 499, 65537, 8e3, "8000", None]),
    ("RETRY_DELAYS", [(), 5, "555", (-1,), (5, None), (True,), (float("inf"),), {5: 1}, None, (10**5000,)]),
    ("LEASE", [0, -1, "120", True, None, float("inf"), 10**5000]),
    ("MAX_AGE", [None, 60, [("addtocart", 60)], {"addtocart": 0}, {"addtocart": "1h"}, {"add to cart": 60}, {1: 60}]),
    ("IDENTIFY_BY", [(), "email", ("cookie",), ("email", "email"), ([],), {"email"}, None]),
    ("TRACK_LOGINS", [1, 0, None, []]),
    *((key, ["", "X Visitor", "X_Visitor", "X-Visitor\n", 1, True, []]) for key in ("PIXEL_HEADER", "VTSID_HEADER")),
    ("ORDERS", [1, print, []]),
    ("ORDER_URL", [1, print, []]),
    ("LOGIN_SOURCE", ["", "  ", None, 1, "a\0b"]),
    ("BEFORE_RECORD", [1, print, []]),
    ("OSCAR_ITEM_ID", ["sku", "", None, 1, []]),
    ("RETENTION_DAYS", [0, -1, "90", True, None, 36501]),
    ("PAYLOAD_DAYS", [0, -1, "30", True, False, 36501]),
    ("ISSUE_VTSID", [None, 1, 0, print, []]),
    ("ALERT_EMAILS", [None, "staff@shop.example", ["staff"], [("Anna", "anna@shop.example")], True, 5]),
    ("VTSID_AGE", [0, -1, 0.5, 3600.0, "3600", True, None, 400 * 86400 + 1, 10**5000]),
]
RIGHT = [
    ("ENDPOINT", ["https://app.vtcdn.net/event"]),
    *((key, [True, False]) for key in BOOLS),
    ("CALLBACK", ["vt", "my.callback", None]),
    ("TIMEOUT", [(3.05, 10), [1, 1], (0.5, 0.5)]),
    ("BATCH_SIZE", [1, 900]),
    ("MAX_URL_LENGTH", [500, 65536]),
    ("RETRY_DELAYS", [(0,), [5, 300.5]]),
    ("LEASE", [26.1, 600]),
    ("MAX_AGE", [{}, {"addtocart": 3600, "x_-1": 0.5}]),
    ("IDENTIFY_BY", [("email",), ["vtsid", "pixel"], ("pixel", "vtsid", "email")]),
    ("TRACK_LOGINS", [True, False, "all", "builtins.bool"]),
    *((key, [None, "X-Visitor"]) for key in ("PIXEL_HEADER", "VTSID_HEADER")),
    ("ORDERS", [None, "builtins.print"]),
    ("ORDER_URL", [None, "builtins.print"]),
    ("ACCOUNT_ID", ["acc123", {"one.ro": "acc-ro"}, "builtins.print"]),
    ("LOGIN_SOURCE", ["website", "mobile app"]),
    ("BEFORE_RECORD", [None, "builtins.print"]),
    ("OSCAR_ITEM_ID", ["partner_sku", "upc", "product_id"]),
    ("RETENTION_DAYS", [0.5, 1, 36500]),
    ("PAYLOAD_DAYS", [None, 0.5, 1, 36500]),
    ("ISSUE_VTSID", [True, False, "builtins.bool"]),
    ("ALERT_EMAILS", [(), [], "ADMINS", ["staff@shop.example", "anna@shop.example"]]),
    ("VTSID_AGE", [1, 3600, 400 * 86400]),
]


def pairs(table):
    return [
        pytest.param(key, value, id=f"{key}-{index}") for key, values in table for index, value in enumerate(values)
    ]


@pytest.mark.parametrize(("key", "value"), pairs(WRONG))
def test_a_wrong_value_is_an_error_that_names_the_key_and_its_default(found, key, value):
    [message] = found(**{key: value})
    assert message.id == "django_vt.E005"
    assert message.msg.startswith(f'DJANGO_VT["{key}"] must be ')
    assert repr(conf.DEFAULTS[key]) in message.hint


@pytest.mark.parametrize(("key", "value"), pairs(RIGHT))
def test_a_right_value_is_found_good(found, key, value):
    assert found(**{key: value}) == []


def test_every_key_has_its_wrong_values_here():
    assert {key for key, _values in WRONG} == conf.KEYS


def test_the_defaults_are_found_good(found):
    assert found(**{**conf.DEFAULTS, **ACCOUNT, "DISPATCHER": "django_vt.dispatchers.manual.ManualDispatcher"}) == []


def test_no_message_repeats_a_string_that_could_be_a_password(found):
    secret = "https://shop:s3cret@proxy.example.com"
    for key in sorted(conf.KEYS - {"ACCOUNT_ID"}):
        assert "s3cret" not in repr(found(**{key: secret})), key
    assert "s3cret" not in repr(found(ACCOUNT_ID=secret))
