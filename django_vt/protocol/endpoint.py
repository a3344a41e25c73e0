"""Whether an address is one that shoppers' data may travel to."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine: localhost, 127.0.0.0/8 or ::1."""
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=8)
def is_readable_on_the_way(url: str) -> bool:
    """Whether others could read what is sent to `url`: it is not https, and it leaves this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme.lower() != "https" and not is_loopback(parts.hostname or "")
    except ValueError:
        # It has no form of an address, so nothing is known of it.
        return True
