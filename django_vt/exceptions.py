"""What this app raises. No message here ever holds an address, a cookie value or a URL."""

from __future__ import annotations


class DjangoVTError(Exception):
    """The family of this app's errors."""


class InvalidField(DjangoVTError, ValueError):
    """A value that cannot be sent. `field` says which, such as `items[0].quantity`, `problem` what is wrong.

    The message is both, and never repeats the value: it could be a shopper's.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type[InvalidField], tuple[str, str]]:
        return type(self), (self.field, self.problem)


class DeliveryError(DjangoVTError):
    """A request got no answer. `reason` is a code of `django_vt.protocol.reasons`, and all that is said of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
