"""Run the comparisons: `python -m benchmarks [drain checkout ...]`; a run of all writes RESULTS.md and PROFILES.md."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from benchmarks import nginx, results, scale
from benchmarks.databases import prepared

COMPARISONS = ("drain", "far", "latency", "checkout", "middleware", "startup", "profiles")


def main() -> None:
    """Print each table as it is done; write them all when all were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("comparisons", nargs="*", choices=[*COMPARISONS, []], help="by default all")
    scale.add_to(parser)
    options = parser.parse_args()
    scale.choose(options)
    wanted = options.comparisons or COMPARISONS
    begun = time.monotonic()
    # Else nginx and the database would be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with tempfile.TemporaryDirectory(prefix="django-vt-bench-") as name:
        directory = Path(name)
        with nginx.running(directory) as (vendor, version):
            os.environ["BENCH_VENDOR"] = vendor
            with prepared(directory):
                machine = _machine(version)
                parts = {comparison: _report(comparison, vendor) for comparison in wanted}
    end = f"The run took {(time.monotonic() - begun) / 60:.0f} minutes.\n"
    if tuple(wanted) == COMPARISONS and not options.smoke:
        results.write_profiles("\n".join([machine, parts.pop("profiles")]))
        results.write("make bench", "\n".join([machine, *parts.values(), end]))


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
