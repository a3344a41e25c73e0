"""Reports the orders of a django-oscar shop. Add `django_vt.contrib.oscar` to INSTALLED_APPS; no code is needed."""
