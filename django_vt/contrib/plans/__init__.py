"""Reports the orders of django-plans: `django_vt.contrib.plans` in INSTALLED_APPS, and nothing else to write."""
