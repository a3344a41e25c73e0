"""A small tea shop that reports its orders and logins with django-vt."""
