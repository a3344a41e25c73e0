"""The system checks: `manage.py check` finds a wrong setting before the first order does.

Only `check_databases` opens a connection. No check raises, whatever `DJANGO_VT` holds. No message repeats a string from
the settings that could hold a password. `manage.py check --tag django_vt` runs all checks except `check_databases`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import connections
from django.utils.module_loading import import_string

from django_vt.conf import BLOCK, DEFAULTS, KEYS, SETTINGS, account_id_is_usable, settings
from django_vt.models.db import default_alias
from django_vt.protocol.packing import is_readable_on_the_way
from django_vt.settings_rules import YEAR, is_dotted_path
from django_vt.tenants import check_tenants

# Each value must have the type and the range that its rule in `django_vt.conf` names.


def check_values(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """An error for each value of the wrong type or out of range."""
    return [
        Error(
            f'{BLOCK}["{key}"] must be {setting.rule.words}.',
            hint=f"It is {_shown_value(block[key])}. The default is {setting.default!r}.",
            id="django_vt.E005",
        )
        for key, setting in SETTINGS.items()
        if not is_well_formed(block, key)
    ]


def is_well_formed(block: Mapping[Any, Any], key: str) -> bool:
    """Whether the key is missing or its value keeps its rule; other checks may read it only then."""
    return key not in block or SETTINGS[key].rule.accepts(block[key])


def _shown_value(value: object) -> str:
    """The value as a message may show it. A string may be a secret, so only its type is shown."""
    if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) < YEAR):
        return repr(value)
    return f"of type {type(value).__name__}"


# There must be an account, and each must be usable in the path of a URL.


def check_account(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """An error if ACCOUNT_ID is missing, unless ENABLED is False, or is unusable. A function is not called."""
    setting = settings.ACCOUNT_ID
    if not is_well_formed(block, "ACCOUNT_ID") or is_dotted_path(setting):
        return []
    if not setting:
        return [] if settings.ENABLED is False else [_missing()]
    named = setting.values() if isinstance(setting, Mapping) else [setting]
    return [] if all(map(account_id_is_usable, named)) else [_unusable_account()]


def _missing() -> CheckMessage:
    return Error(
        f'{BLOCK}["ACCOUNT_ID"] is missing: there is no account to send events for.',
        hint="It is the id that Vibetrace gave the shop. Where nothing is to be sent, as in development, set "
        f'{BLOCK}["ENABLED"] to False instead.',
        id="django_vt.E002",
    )


def _unusable_account() -> CheckMessage:
    return Error(
        f'{BLOCK}["ACCOUNT_ID"] names an account that cannot stand in the path of a URL.',
        hint="It may have up to 64 letters, digits and the characters . _ ~ - and nothing else, no blanks either.",
        id="django_vt.E003",
    )


# Classes and functions that settings name must be importable and of the right kind; classes add their own messages.

DOTTED_PATH = re.compile(r"\w+(\.\w+)+", re.ASCII)


def check_dotted_paths(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """Check the classes that settings name, also by their own `check()`, and the functions."""
    messages: list[CheckMessage] = []
    for key, setting in SETTINGS.items():
        value = getattr(settings, key)
        names_something = setting.rule.base or setting.rule.signature
        if names_something and is_well_formed(block, key) and setting.rule.is_path(value):
            messages += _check_path(key, value)
    return messages


def _check_path(key: str, path: str) -> list[CheckMessage]:
    try:
        found: Any = import_string(path)
    except Exception as error:  # noqa: BLE001 - a module of the project's may raise anything
        return [_not_importable(key, path, error)]
    base = SETTINGS[key].rule.base
    if not base:
        return [] if callable(found) else [_not_callable(key)]
    if not (isinstance(found, type) and issubclass(found, import_string(base))):
        return [_not_a_subclass(key)]
    return _own_check(key, found)


def _own_check(key: str, found: Any) -> list[CheckMessage]:
    try:
        return list(found.check())
    except Exception as error:  # noqa: BLE001 - a project may have written it
        return [
            Error(
                f'{BLOCK}["{key}"]: the check() of the class it names raised {type(error).__name__}.',
                hint="check() takes no argument but the class and returns a list of messages.",
                id="django_vt.E011",
            )
        ]


def _not_importable(key: str, path: str, error: Exception) -> CheckMessage:
    return Error(
        f'{BLOCK}["{key}"] cannot be imported: {_why(path, error)}.',
        hint=f"It is a dotted path such as {_example(key)!r}.",
        id="django_vt.E009",
    )


def _example(key: str) -> str:
    return str(DEFAULTS[key]) if SETTINGS[key].rule.base else f"shop.vibetrace.{key.lower()}"


def _why(path: str, error: Exception) -> str:
    if not DOTTED_PATH.fullmatch(path):
        return "it is no dotted path"
    # The text of an ImportError holds only module names; that of another error could hold anything.
    return str(error) if isinstance(error, ImportError) else f"the import raised {type(error).__name__}"


def _not_a_subclass(key: str) -> CheckMessage:
    return Error(
        f'{BLOCK}["{key}"] names something that is no {SETTINGS[key].rule.base}.',
        hint=f"Derive the class from it, or leave the setting out, for {DEFAULTS[key]!r}.",
        id="django_vt.E010",
    )


def _not_callable(key: str) -> CheckMessage:
    return Error(
        f'{BLOCK}["{key}"] names something that cannot be called.',
        hint=f"It is a function of {SETTINGS[key].rule.signature}.",
        id="django_vt.E010",
    )


# ENDPOINT must be a URL to which shoppers' data may be sent.

LONGEST_ADDRESS = 255  # the size of the column in the table of endpoints
URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII)  # RFC 3986


def check_endpoint(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """An error unless ENDPOINT is an absolute https URL, or http to this machine, that takes a path and a query."""
    if not is_well_formed(block, "ENDPOINT"):
        return []
    parts = _split(settings.ENDPOINT)
    if parts is None:
        return [_unusable_endpoint("is not an absolute http or https URL")]
    problem = _problem(settings.ENDPOINT, parts)
    if problem:
        return [_unusable_endpoint(problem)]
    return [_plain_http()] if is_readable_on_the_way(settings.ENDPOINT) else []


def _split(url: str) -> SplitResult | None:
    """The parts of the URL; None if it is no URL, has no host, or has an invalid port."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises if it is no number
    except ValueError:
        return None
    # urlsplit silently drops line breaks.
    usable = URL_CHARACTERS.fullmatch(url) and parts.scheme in {"http", "https"} and parts.hostname
    return parts if usable else None


def _problem(url: str, parts: SplitResult) -> str:
    if len(url) > LONGEST_ADDRESS:
        return f"is longer than {LONGEST_ADDRESS} characters"
    if "@" in parts.netloc:
        return "holds a user name: the send log and the log show the address"
    if "?" in url or "#" in url:
        return "has a query or a fragment, where the account and the event type are to follow"
    return ""


def _unusable_endpoint(problem: str) -> CheckMessage:
    return Error(
        f'{BLOCK}["ENDPOINT"] {problem}.',
        hint=f'Leave it out, for "{DEFAULTS["ENDPOINT"]}", or give an address of that form.',
        id="django_vt.E006",
    )


def _plain_http() -> CheckMessage:
    return Error(
        f'{BLOCK}["ENDPOINT"] is plain http to another machine: shoppers\' addresses would travel readable.',
        hint="Use https. http is for this machine only: localhost, 127.0.0.0/8 and [::1].",
        id="django_vt.E007",
    )


# A worker's claim must last as long as its work.


def check_lease(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """An error if LEASE is less than twice a request's deadline: two workers could send the same entries."""
    if not (is_well_formed(block, "LEASE") and is_well_formed(block, "TIMEOUT")):
        return []
    shortest = 2 * settings.deadline
    if shortest <= settings.LEASE:
        return []
    return [
        Error(
            f'{BLOCK}["LEASE"] ({settings.LEASE} s) is shorter than twice the deadline of a request '
            f'({settings.deadline} s, the sum of {BLOCK}["TIMEOUT"]).',
            hint=f"Set LEASE to {shortest} or more, or shorten TIMEOUT: a claim that runs out while its request is "
            "under way lets another worker send the same events.",
            id="django_vt.E008",
        )
    ]


# The middleware should be installed.

MIDDLEWARE = "django_vt.middleware.VTIdentityMiddleware"


def check_middleware() -> list[CheckMessage]:
    """A warning unless MIDDLEWARE names this app's middleware or a subclass, at any position."""
    installed = list(django_settings.MIDDLEWARE or ())
    if MIDDLEWARE in installed or any(_is_subclass(path) for path in installed):
        return []
    return [
        Caution(
            f"{MIDDLEWARE} is not in MIDDLEWARE.",
            hint=f'Add "{MIDDLEWARE}": without it there is no request.vt_identity, and what a stopped process has '
            "left unsent waits for the next event.",
            id="django_vt.W001",
        )
    ]


def _is_subclass(path: str) -> bool:
    try:
        found = import_string(path)
    except Exception:  # noqa: BLE001 - Django itself reports it at the first request
        return False
    return isinstance(found, type) and issubclass(found, import_string(MIDDLEWARE))


# Unknown keys in `DJANGO_VT`, most of which are misspelt.


def check_unknown_keys(block: Mapping[Any, Any]) -> list[CheckMessage]:
    """An error for each unknown key, which suggests the nearest name."""
    return [
        Error(f"{BLOCK}[{_shown(key)}] is not a setting of django-vt.", hint=_hint(key), id="django_vt.E004")
        for key in block
        if key not in KEYS
    ]


def _shown(key: object) -> str:
    return ascii(key) if isinstance(key, str) else f"a key of type {type(key).__name__}"


def _hint(key: object) -> str:
    nearest = get_close_matches(str(key).upper(), sorted(KEYS), n=1) if isinstance(key, str) else []
    if nearest:
        return f'Did you mean "{nearest[0]}"?'
    return f"Remove it. The settings are {', '.join(sorted(KEYS))}."


# Database settings that make pages fail, or that lose a column of an event.

WAITING_MODES = ("IMMEDIATE", "EXCLUSIVE")


def check_sqlite_pages() -> list[CheckMessage]:
    """A warning for each SQLite database on which every page takes the write lock."""
    return [
        Caution(
            f'DATABASES["{alias}"] has ATOMIC_REQUESTS and takes its transactions as {mode}: on SQLite every page then '
            "waits for the write lock, and answers 500 when the wait is over.",
            hint="Leave transaction_mode out, set "
            f'{BLOCK}["DISPATCHER"] to "django_vt.dispatchers.manual.ManualDispatcher", and have cron or a worker '
            "process run `send_pending`.",
            id="django_vt.W004",
        )
        for alias in connections
        if (mode := _waiting_mode(alias)) and connections[alias].settings_dict.get("ATOMIC_REQUESTS")
    ]


def _waiting_mode(alias: str) -> str:
    """The `transaction_mode` if it makes SQLite's transactions wait for each other from the start, otherwise empty."""
    connection = connections[alias]
    mode = str(connection.settings_dict.get("OPTIONS", {}).get("transaction_mode")).upper()
    return mode if connection.vendor == "sqlite" and mode in WAITING_MODES else ""


def check_charset(alias: str) -> list[CheckMessage]:
    """A warning if MariaDB or MySQL keeps the send log in a charset that lacks letters, such as utf8mb3 or latin1."""
    connection = connections[alias]
    if connection.vendor != "mysql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(CHARSETS_OF_COLUMNS, ["django_vt_sendlogentry"])
        rows = cursor.fetchall()
        if not rows:
            cursor.execute(CHARSET_OF_NEW_TABLES)
            rows = cursor.fetchall()
    charsets = sorted(charset for (charset,) in rows if charset != WHOLE_CHARSET)
    return [
        Caution(
            f'The send log on the database "{alias}" is kept in {", ".join(charsets)}, which cannot hold every '
            "letter: a reference with an emoji, or an address in another script, is recorded without that column.",
            hint=f"Let the database have CHARACTER SET {WHOLE_CHARSET} before `migrate`; if there is the table, ALTER "
            f"TABLE django_vt_sendlogentry CONVERT TO CHARACTER SET {WHOLE_CHARSET}.",
            id="django_vt.W005",
        )
        for _any in charsets[:1]
    ]


WHOLE_CHARSET = "utf8mb4"
CHARSETS_OF_COLUMNS = """
    SELECT DISTINCT character_set_name FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = %s AND character_set_name IS NOT NULL
"""
CHARSET_OF_NEW_TABLES = "SELECT @@character_set_database"

# The checks that Django calls.

TAG = "django_vt"

CHECKS_OF_THE_BLOCK = (
    check_unknown_keys,
    check_values,
    check_account,
    check_endpoint,
    check_lease,
    check_dotted_paths,
)


@register(TAG)
def check_settings(app_configs: object = None, **options: object) -> list[CheckMessage]:
    """Check everything in `DJANGO_VT`."""
    block: Any = getattr(django_settings, BLOCK, None)
    if not isinstance(block, Mapping):
        return [
            Error(
                f"The setting {BLOCK} is {'missing' if block is None else 'not a dict'}.",
                hint=f'Add {BLOCK} = {{"ACCOUNT_ID": "…"}} with the id that Vibetrace gave the shop.',
                id="django_vt.E001",
            )
        ]
    return [message for check in CHECKS_OF_THE_BLOCK for message in check(block)]


@register(TAG)
def check_project(app_configs: object = None, **options: object) -> list[CheckMessage]:
    """Check the project's other settings that the app needs."""
    return check_middleware() + check_sqlite_pages() + check_tenants()


@register(Tags.database)
def check_databases(
    app_configs: object = None, databases: Collection[str] | None = None, **options: object
) -> list[CheckMessage]:
    """Check that the send log's database can hold what shoppers write. Only this check opens a connection.

    Django runs it with `migrate`, and with `check --database`.
    """
    alias = default_alias()
    return check_charset(alias) if alias in (databases or ()) else []
