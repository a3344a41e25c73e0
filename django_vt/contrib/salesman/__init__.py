"""Reports the orders of a Salesman shop. Add `django_vt.contrib.salesman` to INSTALLED_APPS; no code is needed."""
