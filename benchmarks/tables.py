"""A comparison as a Markdown table: medians, quartiles, and each way's ratio to the one it is held against."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.turns import quartiles


def compared(title: str, unit: str, measured: Mapping[str, list[float]], base: str) -> str:
    """The table; ratios are medians over the median of `base`."""
    reference = quartiles(measured[base])[1]
    lines = [
        f"### {title}",
        "",
        f"| way | {unit}, median | quartiles | ratio | measurements |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, values in measured.items():
        lower, middle, upper = quartiles(values)
        spread = f"{lower:,.2f} to {upper:,.2f}"
        lines.append(f"| {name} | {middle:,.2f} | {spread} | {middle / reference:.2f} | {len(values)} |")
    return "\n".join([*lines, ""])
