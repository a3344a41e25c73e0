"""Which request is treated badly, and how."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from .misbehaviour import Misbehaviour, ResetBeforeReading
from .request import VendorRequest

Condition = Callable[[VendorRequest], bool]


@dataclass
class Rule:
    """Misbehaviours, of which one is drawn for each request that the rule applies to."""

    misbehaviours: tuple[Misbehaviour, ...]
    times: int | None
    share: float
    when: Condition | None
    random: random.Random

    def __post_init__(self) -> None:
        if not self.misbehaviours:
            raise ValueError("misbehave() needs a misbehaviour")
        if self.times is not None and self.times < 1:
            raise ValueError("times: at least 1")
        if not 0 < self.share <= 1:
            raise ValueError("share: above 0, at most 1")
        if self.when and any(isinstance(way, ResetBeforeReading) for way in self.misbehaviours):
            raise ValueError("when: a request that is never read matches nothing")

    def draw(self, request: VendorRequest | None) -> Misbehaviour | None:
        """What to do to this request (None: not read yet), or None if the rule leaves it alone."""
        if self.times == 0 or (request is None) != (self.when is None):
            return None
        if self.when and request and not self.when(request):
            return None
        if self.share < 1 and self.random.random() >= self.share:
            return None
        if self.times is not None:
            self.times -= 1
        return self.random.choice(self.misbehaviours)


class Rules:
    """The rules told so far; of those that apply to a request the first told wins."""

    def __init__(self) -> None:
        self._rules: list[Rule] = []
        # Re-entrant: a condition may tell the vendor something new.
        self._lock = threading.RLock()

    def add(self, rule: Rule) -> None:
        """Add it after the others."""
        with self._lock:
            self._rules.append(rule)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._rules.clear()

    def before_reading(self) -> Misbehaviour | None:
        """What the rules without a condition say, when a request's first byte is there."""
        return self._draw(None)

    def after_reading(self, request: VendorRequest) -> Misbehaviour | None:
        """What the rules with a condition say."""
        return self._draw(request)

    def _draw(self, request: VendorRequest | None) -> Misbehaviour | None:
        with self._lock:
            drawn = (rule.draw(request) for rule in list(self._rules))
            return next((misbehaviour for misbehaviour in drawn if misbehaviour), None)
