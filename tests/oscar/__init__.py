"""A real django-oscar shop with the adapter, walked through over HTTP. Run by .ci/run, with Oscar installed."""
