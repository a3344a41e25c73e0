"""The tests' shop as processes under gunicorn and uWSGI: `gunicorn tests.projects.wsgi.application:application`."""
