"""A real Salesman shop with the adapter, from basket to payment. Run by .ci/run, with Salesman installed."""
