from __future__ import annotations

import pytest

from tests.unit.checks.conftest import ids

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(("timeout", "lease"), [((3.05, 10), 26.09), ((5, 60), 120), ((1, 1), 3)])
def test_a_lease_shorter_than_twice_the_deadline_is_an_error(found, timeout, lease):
    [message] = found(TIMEOUT=timeout, LEASE=lease)
    assert message.id == "django_vt.E008"
    assert "LEASE" in message.msg
    assert f"{2 * sum(timeout)}" in message.hint


def test_a_long_timeout_is_an_error_with_the_lease_left_at_its_default(found):
    assert ids(found(TIMEOUT=(5, 56))) == ["E008"]
