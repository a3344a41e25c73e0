"""No check raises, whatever the block holds."""

from __future__ import annotations

import pytest
from django.core.checks import CheckMessage, run_checks
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from django_vt import conf
from tests.unit.checks.conftest import ids

pytestmark = [pytest.mark.any_database, pytest.mark.ends]

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.sampled_from(["os.path.x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(block=JUNK | st.dictionaries(st.sampled_from(sorted(conf.KEYS)) | st.text() | st.integers(), JUNK))
@example(block={"TIMEOUT": (1, 1), "LEASE": None})
@example(block={"ENDPOINT": "http://[", "ACCOUNT_ID": "\ud800"})
def test_no_check_raises_whatever_the_block_holds(settings, block):
    settings.DJANGO_VT = block
    messages = run_checks(tags=["django_vt"])
    assert all(isinstance(message, CheckMessage) and message.hint for message in messages)
    assert str(messages).encode()
    if not isinstance(block, dict):
        assert ids(messages) == ["E001"]
