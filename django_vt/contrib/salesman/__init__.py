"""Reports the orders of a Salesman shop: `django_vt.contrib.salesman` in INSTALLED_APPS, and nothing else to write."""
