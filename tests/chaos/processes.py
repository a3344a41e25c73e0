"""The processes of a chaos run, and the reaper that kills them and starts others in their place."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
START_UP_TIME = 8.0  # seconds, on a busy machine


@dataclass
class Role:
    """What a process does, and how many requests it can have in flight when it is killed."""

    name: str
    arguments: list[str]
    in_flight: int


@dataclass
class Herd:
    """Running processes, a role each."""

    environment: Mapping[str, str]
    log: IO[bytes]
    running: dict[str, tuple[Role, subprocess.Popen[bytes]]] = field(default_factory=dict)
    kills: list[Role] = field(default_factory=list)
    last_start: float = 0.0

    def start(self, role: Role) -> None:
        """Start a process for the role."""
        process = subprocess.Popen(
            [sys.executable, *role.arguments], cwd=ROOT, env=dict(self.environment), stdout=self.log, stderr=self.log
        )
        self.running[role.name] = role, process
        self.last_start = time.monotonic()

    def reap(self, seconds: float, pause: float, chance: random.Random) -> None:
        """For so long, kill one at random every `pause` seconds or so, and replace it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            threading.Event().wait(pause * chance.uniform(0.5, 1.5))
            role, process = self.running[chance.choice(sorted(self.running))]
            if process.poll() is not None:
                raise SystemExit(f"{role.name} ended by itself with {process.returncode}; see the log")
            process.kill()
            process.wait()
            self.kills.append(role)
            self.start(role)

    def kill_all(self, prefix: str) -> None:
        """Kill those whose name begins so, and replace none."""
        for name in [name for name in self.running if name.startswith(prefix)]:
            role, process = self.running.pop(name)
            process.kill()
            process.wait()
            self.kills.append(role)

    def stop_all(self) -> list[str]:
        """SIGTERM to all that are left; returns those that did not end with 0 within some seconds."""
        # A process that has not even imported Django yet ends by the signal, as any would.
        threading.Event().wait(max(0.0, self.last_start + START_UP_TIME - time.monotonic()))
        for _role, process in self.running.values():
            process.send_signal(signal.SIGTERM)
        unclean = []
        for name, (_role, process) in self.running.items():
            try:
                if process.wait(timeout=15) != 0:
                    unclean.append(f"{name}: exit code {process.returncode}")
            except subprocess.TimeoutExpired:  # noqa: PERF203 - once a process
                process.kill()
                process.wait()
                unclean.append(f"{name}: still running 15 s after SIGTERM")
        self.running.clear()
        return unclean
