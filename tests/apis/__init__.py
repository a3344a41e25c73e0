"""Shops whose pages live elsewhere, with the frameworks that serve them: an order over each API. Run by .ci/run."""
