"""Makes the shop ready to serve on this machine: its environment, its database, the teas, the people."""

import os
import secrets
from pathlib import Path
from urllib.parse import quote

import django
from django.core.management import call_command

ACCOUNT_ID = "example-shop"
SHOPPER = {"email": "ada@example.com", "password": "two-steeps-please"}
STAFF = {"username": "admin", "password": "admin"}


def environment(directory: Path, endpoint: str, *, debug: bool) -> dict[str, str]:
    """All that settings.py reads, so that neither a .env nor the caller's own environment plays a part."""
    return {
        "DJANGO_SETTINGS_MODULE": "example_project.settings",
        "SECRET_KEY": secret_key(directory / "secret-key"),
        "DEBUG": "on" if debug else "off",
        "HTTPS": "off",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DATABASE_URL": f"sqlite:///{quote(str(directory / 'shop.sqlite3'))}",
        "VT_ACCOUNT_ID": ACCOUNT_ID,
        "VT_ENDPOINT": endpoint,
    }


def secret_key(file: Path) -> str:
    """Made once and kept beside the database, so that a restart leaves everybody signed in."""
    if not file.exists():
        file.touch(mode=0o600)
        # Not Django's own random key: django-environ reads one that begins with $ as another variable's name.
        file.write_text(secrets.token_urlsafe(50))
    return file.read_text()


def prepare(environment: dict[str, str]) -> None:
    """Sets Django up in this process, then the database: what is there already stays as it is."""
    os.environ.update(environment)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    put_teas_on_the_shelf()
    add_people()


def put_teas_on_the_shelf() -> None:
    from example_project.shop.models import Product

    if not Product.objects.exists():
        call_command("loaddata", "products", verbosity=0)


def add_people() -> None:
    from django.contrib.auth.models import User

    if not User.objects.filter(username=SHOPPER["email"]).exists():
        User.objects.create_user(SHOPPER["email"], **SHOPPER)
    if not User.objects.filter(username=STAFF["username"]).exists():
        User.objects.create_superuser(**STAFF)
