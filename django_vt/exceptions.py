"""The exceptions of this app. Their messages never hold an address, a cookie value or a URL."""

from __future__ import annotations


class DjangoVTError(Exception):
    """The base class of this app's errors."""


class InvalidField(DjangoVTError, ValueError):
    """A value cannot be sent. `field` names it, such as `items[0].quantity`; `problem` says what is wrong.

    The message has both, and never the value, which could be personal data.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type[InvalidField], tuple[str, str]]:
        return type(self), (self.field, self.problem)


class DeliveryError(DjangoVTError):
    """A request got no answer. The message is only the `reason`, a code of `django_vt.protocol.reasons`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
