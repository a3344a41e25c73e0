"""The recipes of docs/how-to/payment-callbacks.md with the real dj-stripe and django-payments. Run by .ci/run."""
