"""The tests' shop as processes under gunicorn and uWSGI: `gunicorn tests.wsgi_project.application:application`."""
