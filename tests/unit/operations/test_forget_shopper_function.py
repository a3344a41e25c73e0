"""`django_vt.forget_shopper`: what a shop calls where shoppers delete their account."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest

import django_vt
from django_vt import operations
from django_vt.exceptions import InvalidField
from tests.support.dump import dump
from tests.support.forgettable import ADDRESS, SESSION, USER, VTSID, order, traces_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_is_sent_by_itself")]


def test_it_forgets_what_the_command_forgets_and_says_how_much(life, clock):
    done = django_vt.forget_shopper(address=ADDRESS)
    assert dict(done.statuses) == {"pending": 7, "sent": 1, "failed": 1, "skipped": 1}
    assert (done.remembered, done.others) == (1, 0)
    assert done.in_hands_until == clock.now + timedelta(seconds=100)
    assert traces_in(dump()) == []


@pytest.mark.parametrize("given", [{"pixel": USER}, {"pixel": f"{USER}_{SESSION}_false"}, {"vtsid": VTSID}])
def test_a_visitor_is_forgotten_by_an_id(life, given):
    assert django_vt.forget_shopper(**given).statuses.total() > 0


def test_it_works_on_the_database_named(other_database):
    order("1")
    assert django_vt.forget_shopper(address=ADDRESS, using=other_database).statuses.total() == 0


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"pixel": "canary bird"}, "pixel"),
        ({"vtsid": "canary bird"}, "vtsid"),
        ({}, "address"),
        ({"address": ADDRESS, "pixel": USER}, "address"),
    ],
)
def test_what_names_nobody_is_refused_by_its_field_and_not_repeated(given, field):
    with pytest.raises(InvalidField) as caught:
        django_vt.forget_shopper(**given)
    assert caught.value.field == field
    assert "canary" not in str(caught.value).lower()


def test_no_operation_knows_of_commands_or_pages():
    """A shop calls these functions too: an error of theirs must not be one that ends a command."""
    for path in Path(operations.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not str(node.module).startswith(("django.core.management", "django_vt.management")), path.name
