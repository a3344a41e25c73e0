"""Compare logs of all ages: `python -m benchmarks.age [memory sqlite ...]`; each writes its part of RESULTS.md."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import nginx, results, scale
from benchmarks.age.databases import Log, drop, prepared

SIZES = {"sqlite": (10_000, 1_000_000), "mariadb": (10_000, 1_000_000), "postgresql": (10_000, 1_000_000, 10_000_000)}
DRAINED = 1_000_000
PARTS = ("memory", *SIZES)
SMALLER = 500  # times, for `--smoke`


def main() -> None:
    """Print each table as it is done."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.age", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="by default all")
    parser.add_argument("--divide", type=int, default=1, help="make all but the smallest so much smaller, for a trial")
    scale.add_to(parser)
    options = parser.parse_args()
    scale.choose(options)
    wanted, divide = options.parts or PARTS, SMALLER if options.smoke else options.divide
    # Else the databases would be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    logs = {
        vendor: [Log(vendor, _fitting(size, sizes, divide)) for size in sizes]
        for vendor, sizes in SIZES.items()
        if vendor in wanted
    }
    if "memory" in wanted:
        logs = {"memory": [Log("postgresql", DRAINED // divide, pending=DRAINED // divide)], **logs}
    with tempfile.TemporaryDirectory(prefix="django-vt-age-") as name, nginx.running(Path(name)) as (vendor, version):
        os.environ["BENCH_VENDOR"] = vendor
        with prepared([log for several in logs.values() for log in several], Path(name)):
            for part, several in logs.items():
                text = "\n".join(map(_shown, _report(part, several, version)))
                if divide == 1 and not options.smoke:
                    results.write(f"{results.AGE}: {part}", text)


def _fitting(size: int, sizes: tuple[int, ...], divide: int) -> int:
    """The smallest stays as it is, and none gets smaller: the list's page 100 must be there."""
    return max(size // divide, min(sizes) + sizes.index(size))


def _shown(part: str) -> str:
    print(part, flush=True)
    return part


def _report(part: str, logs: list[Log], version: str) -> Iterator[str]:
    """One database at a time, its logs side by side: disks are not endless."""
    from benchmarks import grown_log, machine
    from benchmarks.age import memory

    begun = time.monotonic()
    yield f"## A log that has grown for years, `{part}`: measured on\n\n{machine.description(version)}"
    for log in logs:
        grown_log.fill(log.alias, log.entries, pending=log.pending)
    yield from [memory.report(*logs)] if part == "memory" else _of(logs)
    for log in logs:
        drop(log)
    yield f"It took {(time.monotonic() - begun) / 60:.0f} minutes.\n"


def _of(logs: list[Log]) -> Iterator[str]:
    from django.db import connections

    from benchmarks.age import comparison, purging, sizes

    yield comparison.report(connections[logs[0].alias].display_name, logs)
    yield sizes.report(logs[-1])
    yield purging.report(logs[-1])


if __name__ == "__main__":
    main()
