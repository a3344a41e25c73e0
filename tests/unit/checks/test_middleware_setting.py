from __future__ import annotations

import pytest

from django_vt.middleware import VTIdentityMiddleware
from tests.unit.checks.conftest import ids

pytestmark = pytest.mark.any_database


class SubclassedMiddleware(VTIdentityMiddleware):
    pass


def before_record(event, identity, request):
    return event


def test_a_missing_middleware_is_a_warning(found, settings):
    settings.MIDDLEWARE = [path for path in settings.MIDDLEWARE if "django_vt" not in path]
    [message] = found()
    assert message.id == "django_vt.W001"
    assert not message.is_serious()


@pytest.mark.parametrize("others", [[], ["shop.nowhere.Middleware"], [f"{__name__}.before_record"]])
def test_a_subclass_of_the_middleware_does_as_well(found, settings, others):
    settings.MIDDLEWARE = [*others, f"{__name__}.SubclassedMiddleware"]
    assert found() == []


@pytest.mark.parametrize("others", [["shop.nowhere.Middleware"], [f"{__name__}.before_record"]])
def test_other_middleware_is_not_ours(found, settings, others):
    settings.MIDDLEWARE = others
    assert ids(found()) == ["W001"]
