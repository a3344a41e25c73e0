"""The base class of dispatchers: the setting DISPATCHER names a subclass."""

from __future__ import annotations

import abc

from django.core.checks import CheckMessage


class Dispatcher(abc.ABC):
    """Runs delivery after a wake. Each wake makes a new instance, so keep lasting state on the class."""

    @abc.abstractmethod
    def wake(self, using: str) -> None:
        """Have the database `using` (an alias) looked at: something may be due there.

        Called after a commit, in the shopper's request, so it must be quick. If it raises, the class of the error is
        logged.
        """

    def start(self, using: str) -> None:  # noqa: B027 - there may be nothing to look for
        """Called before a process serves its first request; `using` is the alias of the send log's database.

        It runs in the request's thread, so it must not query. If it raises, the class of the error is logged.
        """

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """The messages that `manage.py check` should show for a project that uses this dispatcher."""
        return []
