"""The package's commands for `manage.py`, one a module."""
