"""A project that delivers through Django's tasks framework: what a `db_worker` of the tests runs."""
