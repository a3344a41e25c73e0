"""Reports the orders of a django-oscar shop: `django_vt.contrib.oscar` in INSTALLED_APPS, and nothing else to write."""
