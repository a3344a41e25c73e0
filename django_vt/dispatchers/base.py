"""What every dispatcher is: the setting DISPATCHER names a class like this."""

from __future__ import annotations

from django.core.checks import CheckMessage


class Dispatcher:
    """Runs delivery after a wake. Made anew for each wake: what lasts longer belongs to the class or module."""

    def wake(self, using: str) -> None:
        """Something on the database `using` (an alias) may be due.

        Called after a commit, in the shopper's request: be quick. What it raises is logged by its class. A class that
        does not say what a wake does gets a `TypeError`.
        """
        raise TypeError(f"{type(self).__name__} does not say what a wake does")

    def start(self, using: str) -> None:
        """A process's first request is about to be served; `using` is the send log's database, by its alias.

        No query here: it is the request's thread. What it raises is logged by its class.
        """

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """What `manage.py check` should say of a project that uses this dispatcher."""
        return []
