from __future__ import annotations

import pytest
from django.core.mail.utils import DNS_NAME


@pytest.fixture(autouse=True)
def own_name_without_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Oscar mails its thank-you; Django asks the network for this machine's name for that."""
    monkeypatch.setattr(DNS_NAME, "_fqdn", "localhost", raising=False)
