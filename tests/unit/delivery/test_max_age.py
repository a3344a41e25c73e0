"""MAX_AGE where Django's times are local: summer time makes nothing older, and of a doubtful age the younger counts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from django.utils.timezone import make_naive

from django_vt.delivery import deliver_due
from tests.support.delivering import configure, one, statuses

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("script")]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00+00:00").astimezone(timezone.utc)


@pytest.mark.parametrize(
    "case",
    [
        # In Bucharest it is 02:58, and then 04:03: five minutes later.
        ("2026-03-29 00:58", "2026-03-29 01:03", "sent"),
        ("2026-03-29 00:58", "2026-03-29 02:03", "skipped"),
        # In Bucharest it is 02:50, and then 03:20 for the second time: an hour and a half later.
        ("2026-10-24 23:50", "2026-10-25 01:20", "skipped"),
        ("2026-10-24 23:50", "2026-10-25 00:45", "sent"),
        # It is 03:30, nobody knows whether for the first or for the second time, and then 04:10.
        ("2026-10-25 00:30", "2026-10-25 02:10", "sent"),
        ("2026-10-25 00:30", "2026-10-25 02:40", "skipped"),
    ],
)
@pytest.mark.parametrize("use_tz", [False, True])
def test_summer_time_makes_nothing_older_than_it_is(settings, clock, use_tz, case):
    recorded, delivered, status = case
    settings.USE_TZ = use_tz
    configure(settings, MAX_AGE={"addtocart": 3600})
    at = utc(recorded)
    one(event_type="addtocart", created_at=at if use_tz else make_naive(at))
    clock.now = utc(delivered)
    deliver_due()
    true_age = "skipped" if clock.now - at > timedelta(hours=1) else "sent"
    assert statuses() == {true_age if use_tz else status: 1}
