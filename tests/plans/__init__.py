"""A real shop of django-plans, paid through django-payments, with the adapter. Run by .ci/run, with both installed."""
