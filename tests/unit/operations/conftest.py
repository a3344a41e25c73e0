from __future__ import annotations

from tests.support.forgettable import life, nothing_is_sent_by_itself  # noqa: F401 - fixtures
