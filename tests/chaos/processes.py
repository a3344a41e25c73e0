"""The processes of a chaos run, and the reaper that kills them and starts others in their place."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
START_UP_TIME = 8.0  # seconds, on a busy machine


@dataclass(frozen=True, eq=False)
class Role:
    """What a process does. `children`: how many of its own it has deliver; `concurrency`: requests in flight of each.

    `kind` is what it is a `number`-th of.
    """

    kind: str
    number: int
    arguments: tuple[str, ...]
    concurrency: int = 1
    children: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.kind}{self.number}"


@dataclass(frozen=True)
class Kill:
    """Whom SIGKILL has hit: the process `pid` of that kind, and its children with it where it had any."""

    kind: str
    pid: int
    concurrency: int = 1  # requests that each process hit could have in flight
    in_flight: int = 1  # requests that all of them could

    @classmethod
    def of(cls, role: Role, pid: int) -> Kill:
        """A role's process with all it has forked."""
        return cls(role.kind, pid, role.concurrency, role.concurrency * max(1, role.children))

    @classmethod
    def of_child(cls, role: Role, pid: int) -> Kill:
        """One child of a role's process, which goes on."""
        return cls(f"{role.kind} child", pid, role.concurrency, role.concurrency)


@dataclass
class Herd:
    """Running processes, a role each, and each the leader of a process group."""

    environment: Mapping[str, str]
    log: IO[bytes]
    running: dict[Role, subprocess.Popen[bytes]] = field(default_factory=dict)
    kills: list[Kill] = field(default_factory=list)
    last_start: float = 0.0

    def __post_init__(self) -> None:
        self._victims: list[Role] = []
        self._bereaved: set[int] = set()
        self._spares_parents = False

    def start(self, role: Role) -> None:
        """Start a process for the role."""
        self.running[role] = subprocess.Popen(
            [sys.executable, *role.arguments],
            cwd=ROOT,
            env={**self.environment, **role.environment, "CHAOS_ROLE": role.kind},
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )
        self.last_start = time.monotonic()

    def reap(self, seconds: float, pause: float, chance: random.Random) -> None:
        """For so long, kill one at random every `pause` seconds or so, and replace it. All kinds have their turn."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            threading.Event().wait(pause * chance.uniform(0.5, 1.5))
            self._replace_those_who_gave_up()
            role = self._next_victim(chance)
            if not (role.children and self._kill_child(role, chance)):
                self._kill(role)
                self.start(role)

    def kill_all(self, *kinds: str) -> None:
        """Kill those of these kinds, by default of all, and replace none."""
        for role in [role for role in self.running if not kinds or role.kind in kinds]:
            self._kill(role)

    def stop_all(self) -> list[str]:
        """SIGTERM to all that are left; returns those that did not end with 0 within some seconds."""
        # A process that has not even imported Django yet ends by the signal, as any would.
        threading.Event().wait(max(0.0, self.last_start + START_UP_TIME - time.monotonic()))
        for role in [role for role, process in self.running.items() if self._gave_up(process)]:
            del self.running[role]
        for process in self.running.values():
            process.send_signal(signal.SIGTERM)
        unclean = []
        for role, process in self.running.items():
            try:
                if process.wait(timeout=15) != 0:
                    unclean.append(f"{role.name}: exit code {process.returncode}")
            except subprocess.TimeoutExpired:  # noqa: PERF203 - once a process
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                unclean.append(f"{role.name}: still running 15 s after SIGTERM")
        self.running.clear()
        return unclean

    def _replace_those_who_gave_up(self) -> None:
        for role, process in [*self.running.items()]:
            if self._gave_up(process):
                self.start(role)
            elif process.poll() is not None:
                raise SystemExit(f"{role.name} ended by itself with {process.returncode}; see the log")

    def _gave_up(self, process: subprocess.Popen[bytes]) -> bool:
        """As Celery's worker does where a child dies while it is starting; nobody else may end by himself."""
        return process.pid in self._bereaved and process.poll() is not None

    def _next_victim(self, chance: random.Random) -> Role:
        """One after another of a shuffled pack."""
        if not self._victims:
            self._victims = list(self.running)
            chance.shuffle(self._victims)
        return self._victims.pop()

    def _kill(self, role: Role) -> None:
        process = self.running.pop(role)
        with suppress(ProcessLookupError):  # it has ended, and all of its group
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.kills.append(Kill.of(role, process.pid))

    def _kill_child(self, role: Role, chance: random.Random) -> bool:
        """Every other time, where it has any; whether it did."""
        self._spares_parents = not self._spares_parents
        children = sorted(children_of(self.running[role].pid))
        if not (self._spares_parents and children):
            return False
        pid = chance.choice(children)
        os.kill(pid, signal.SIGKILL)
        self._bereaved.add(self.running[role].pid)
        self.kills.append(Kill.of_child(role, pid))
        return True


def children_of(parent: int) -> Iterator[int]:
    """The processes that a process has forked and that still run, as Linux tells them."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in brackets and may hold anything.
            state, parent_pid = status.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent_pid) == parent and state != "Z":
            yield int(status.parent.name)
