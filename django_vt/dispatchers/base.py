"""What every dispatcher is: the setting DISPATCHER names a class like this."""

from __future__ import annotations

import abc

from django.core.checks import CheckMessage


class Dispatcher(abc.ABC):
    """Runs delivery after a wake. Django-vt makes a new instance for each wake: what lasts longer is the class's."""

    @abc.abstractmethod
    def wake(self, using: str) -> None:
        """Something on the database `using` (an alias) may be due.

        Called after a commit, in the shopper's request, so it must be quick. If it raises, the class of the error is
        logged.
        """

    def start(self, using: str) -> None:  # noqa: B027 - there may be nothing to look for
        """A process is about to serve its first request; `using` is the alias of the send log's database.

        It runs in the request's thread, so it must not query. If it raises, the class of the error is logged.
        """

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """What `manage.py check` should say of a project that uses this dispatcher."""
        return []
