"""Reports the orders of django-plans. Add `django_vt.contrib.plans` to INSTALLED_APPS; no code is needed."""
