"""The memory of a worker that drains a million entries."""

from __future__ import annotations

import re
import time
from pathlib import Path

from django.db import connections

from benchmarks.age.databases import Log
from benchmarks.age.processes import ended_well, running
from django_vt.models import SendLogEntry

SHOWN = 10
EVERY = 1.0  # seconds between two samples
GOAL = 100  # megabytes


def report(log: Log) -> str:
    """Samples over the drain, evenly apart, and the most there ever was."""
    samples, peak, seconds = _drain(log)
    left = SendLogEntry.objects.using(log.alias).filter(due_at__isnull=False).count()
    if left:
        raise RuntimeError(f"{left} entries were not sent")
    lines = [
        f"### Memory: `send_pending` drains {log.entries:,} entries from {connections[log.alias].display_name}",
        "",
        f"Resident memory of the process. The goal is {GOAL} MB, and flat.",
        "",
        "| seconds | MB |",
        "|---:|---:|",
    ]
    step = max(1, len(samples) // SHOWN)
    lines += [f"| {moment:,.0f} | {megabytes:.1f} |" for moment, megabytes in samples[::step]]
    lines += [
        "",
        f"At most {peak:.1f} MB. The drain took {seconds:,.0f} s: {log.entries / seconds:,.0f} events a second.",
    ]
    return "\n".join([*lines, ""])


def _drain(log: Log) -> tuple[list[tuple[float, float]], float, float]:
    samples, peak, begun = [], 0.0, time.monotonic()
    with running("send_pending", "--database", log.alias, "--verbosity", "0") as process:
        time.sleep(EVERY)
        while not ended_well(process):
            now, most = _megabytes(process.pid)
            samples.append((time.monotonic() - begun, now))
            peak = max(peak, most)
            time.sleep(EVERY)
    return samples, peak, time.monotonic() - begun


def _megabytes(pid: int) -> tuple[float, float]:
    """Now, and at most so far; none any more where the process has just ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB$", status, re.MULTILINE))
    return int(found.get("VmRSS", 0)) / 1024, int(found.get("VmHWM", 0)) / 1024
