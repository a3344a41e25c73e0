"""The chaos run: a shop under load, a vendor that misbehaves, a reaper that kills; then the books are compared.

`python -m tests.chaos --database sqlite --seconds 60`, or `make chaos` for all three databases.
"""
