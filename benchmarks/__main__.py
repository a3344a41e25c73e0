"""Run the comparisons: `python -m benchmarks [drain checkout ...]`; a run of all of them writes RESULTS.md."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from benchmarks import nginx, results
from benchmarks.databases import prepared

COMPARISONS = ("drain", "far", "checkout", "middleware", "startup", "profiles")


def main() -> None:
    """Print each table as it is done; write them all when all were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("comparisons", nargs="*", choices=[*COMPARISONS, []], help="by default all")
    wanted = parser.parse_args().comparisons or COMPARISONS
    begun = time.monotonic()
    # Else nginx and the database would be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory(prefix="django-vt-bench-") as name:
        directory = Path(name)
        with nginx.running(directory) as (vendor, version):
            os.environ["BENCH_VENDOR"] = vendor
            with prepared(directory):
                parts = [_machine(version), *(_report(comparison, vendor) for comparison in wanted)]
    parts.append(f"The run took {(time.monotonic() - begun) / 60:.0f} minutes.\n")
    if tuple(wanted) == COMPARISONS:
        results.write("make bench", "\n".join(parts))


def _machine(version: str) -> str:
    from benchmarks.machine import description

    return _shown("## Measured on\n\n" + description(version))


def _report(comparison: str, vendor: str) -> str:
    report: str = import_module(f"benchmarks.{comparison}").report(vendor)
    return _shown(report)


def _shown(part: str) -> str:
    print(part, flush=True)
    return part


if __name__ == "__main__":
    main()
