"""Run the comparisons: `python -m benchmarks [checkout middleware drain startup]`; all of them are written to RESULTS.md."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from importlib import import_module
from pathlib import Path

from benchmarks import nginx
from benchmarks.databases import prepared

COMPARISONS = ("checkout", "middleware", "drain", "startup")
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Print each table as it is done; write them all when all were asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("comparisons", nargs="*", choices=[*COMPARISONS, []], help="by default all")
    wanted = parser.parse_args().comparisons or COMPARISONS
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="django-vt-bench-") as name:
        directory = Path(name)
        with nginx.running(directory) as (vendor, version):
            os.environ["BENCH_VENDOR"] = vendor
            with prepared(directory):
                parts = [_machine(version), *(_report(comparison, vendor) for comparison in wanted)]
    parts.append(f"The run took {(time.monotonic() - begun) / 60:.0f} minutes.\n")
    if tuple(wanted) == COMPARISONS:
        introduction = Path(__file__).with_name("INTRODUCTION.md").read_text()
        RESULTS.write_text("\n".join([introduction, *parts]))


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
