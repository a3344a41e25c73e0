"""A column as the planner cannot see through it."""

from __future__ import annotations

from django.db.models.functions import Greatest


def unindexed(column: str) -> Greatest:
    """The column's value, as an expression that no index holds: rows are then found by what else is asked of them.

    Of a single column the greatest is that column.
    """
    return Greatest(column, column)
