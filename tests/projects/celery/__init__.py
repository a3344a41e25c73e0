"""A project that delivers through Celery, as README tells: what a worker of the tests runs."""
