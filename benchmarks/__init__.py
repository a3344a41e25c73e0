"""What django-vt costs a shop, measured: `make bench` runs all of it and writes RESULTS.md."""
