"""What years of entries cost: `make bench-age`."""
