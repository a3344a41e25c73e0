"""How much is measured: as much as it takes, or just enough to see that everything still runs (`--smoke`)."""

from __future__ import annotations

import argparse
import os

VARIABLE = "BENCH_SMOKE"


def add_to(parser: argparse.ArgumentParser) -> None:
    """The option `--smoke`."""
    parser.add_argument("--smoke", action="store_true", help="a little of everything, in a minute; writes nothing")


def choose(options: argparse.Namespace) -> None:
    """For this process and those that it starts. To be called before the modules that measure are imported."""
    os.environ[VARIABLE] = "yes" if options.smoke else ""


def of(full: int, *, smoke: int) -> int:
    """So many, or so few for a trial."""
    return smoke if os.environ.get(VARIABLE) else full
