"""The names that shops import are there, and importing the package asks for nothing."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys

import pytest

import django_vt
from django_vt import apps
from django_vt.models import SendLogEntry
from django_vt.recording import attribution, record

PUBLIC = {
    "django_vt": ["track", "atrack", "remember_identity", "aremember_identity", "__version__"],
    "django_vt.events": ["Confirmation", "Login", "Event", "Item"],
    "django_vt.identity": ["Identity", "current"],
    "django_vt.signals": ["order_placed", "event_sent", "event_failed"],
    "django_vt.delivery": ["deliver_due", "DeliveryReport"],
    "django_vt.testing": ["captured_events", "FakeVendor"],
    "django_vt.middleware": ["VTIdentityMiddleware"],
}
DOCUMENTED = [(module, name) for module, names in PUBLIC.items() for name in names]


@pytest.mark.parametrize(("module", "name"), DOCUMENTED)
def test_every_public_name_can_be_imported(module, name):
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("module", "name"), DOCUMENTED)
def test_every_public_class_and_function_says_what_it_is(module, name):
    value = getattr(importlib.import_module(module), name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def parameters(function):
    return [
        (parameter.name, parameter.kind is parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(function).parameters.values()
    ]


@pytest.mark.parametrize("function", [django_vt.track, django_vt.atrack])
def test_track_and_atrack_take_the_event_and_keywords(function):
    keywords = ["request", "identity", "using", "account_id"]
    assert parameters(function) == [("event", False), *((name, True) for name in keywords)]


@pytest.mark.parametrize("function", [django_vt.remember_identity, django_vt.aremember_identity])
def test_remember_identity_takes_request_and_reference(function):
    assert parameters(function) == [("request", False), ("reference", False), ("using", True), ("account_id", True)]


def test_the_events_take_what_the_readme_says():
    from django_vt.events import Confirmation, Event, Item, Login

    assert [name for name, _ in parameters(Confirmation)] == ["order_id", "total", "items", "email", "extra"]
    assert [name for name, _ in parameters(Login)] == ["email", "source", "attributes"]
    assert parameters(Event) == [("type", False), ("data", False), ("reference", True), ("dedup_key", True)]
    assert [name for name, _ in parameters(Item)] == ["id", "quantity"]


def test_the_package_itself_lends_only_what_it_says():
    assert set(django_vt.__all__) >= set(PUBLIC["django_vt"])
    with pytest.raises(AttributeError, match="module 'django_vt' has no attribute 'trakc'"):
        _ = django_vt.trakc


@pytest.mark.parametrize("name", ["track", "atrack", "remember_identity", "aremember_identity"])
def test_what_the_package_lends_takes_what_does_it_takes(name):
    does_it = getattr(record, name, None) or getattr(attribution, name)
    assert inspect.signature(getattr(django_vt, name)) == inspect.signature(does_it)


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.process
def test_the_version_can_be_read_without_django_being_set_up():
    result = run("import django_vt, sys; print(django_vt.__version__, 'django.db' in sys.modules)")
    assert (result.stdout, result.stderr) == (f"{django_vt.__version__} False\n", "")


# The longest way first: what it imports, the shorter ones find imported.
TOLD = [".track", ".remember_identity", "", ".identity", ".events", ".signals", ".testing"]


@pytest.fixture(scope="module")
def pydoc():
    """What pydoc tells of each name, by one process that has not set up Django."""
    result = run(
        "import json, pydoc\ntold = {}\n"
        f"for name in {TOLD}:\n    told[name] = pydoc.render_doc('django_vt' + name, renderer=pydoc.plaintext)\n"
        "print(json.dumps(told))"
    )
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.mark.process
@pytest.mark.parametrize("name", TOLD)
def test_pydoc_tells_of_it_without_django_being_set_up(name, pydoc):
    assert pydoc[name].startswith("Python Library Documentation")


@pytest.mark.process
def test_pydoc_of_the_package_tells_all_that_it_lends(pydoc):
    assert all(f"{name}(" in pydoc[""] for name in PUBLIC["django_vt"] if name != "__version__")


PURE = [
    "exceptions", "protocol.reasons", "protocol.values", "protocol.addresses", "protocol.outcome", "protocol.packing",
    "settings_rules", "conf", "accounts", "identity",
    "events",
]  # fmt: skip


@pytest.fixture(scope="module")
def models_imported():
    """Whether the models are imported after each of the pure modules, by one process without apps."""
    result = run(
        "import importlib, json, sys\nfrom django.conf import settings\nsettings.configure()\nimported = {}\n"
        f"for name in {PURE}:\n    importlib.import_module('django_vt.' + name)\n"
        "    imported[name] = 'django_vt.models' in sys.modules\nprint(json.dumps(imported))"
    )
    assert (result.returncode, result.stderr) == (0, "")
    return json.loads(result.stdout)


@pytest.mark.process
@pytest.mark.parametrize("module", PURE)
def test_the_pure_modules_need_no_apps(module, models_imported):
    assert not models_imported[module]


@pytest.mark.process
def test_setting_up_the_app_runs_no_query():
    code = (
        "import django; from django.conf import settings; settings.configure(DATABASES={'default': {'ENGINE': "
        "'django.db.backends.sqlite3', 'NAME': '/nowhere/at/all'}}, INSTALLED_APPS=['django.contrib.auth', "
        "'django.contrib.contenttypes', 'django_vt'], DJANGO_VT={'ACCOUNT_ID': 'acc123'}); django.setup(); "
        "from django_vt import track, atrack; from django.db import connection; print(connection.connection)"
    )
    result = run(code)
    assert (result.stdout, result.stderr) == ("None\n", "")


def test_the_app_pins_its_own_primary_keys():
    assert apps.DjangoVTConfig.default_auto_field == "django.db.models.BigAutoField"
    assert SendLogEntry._meta.pk.get_internal_type() == "BigAutoField"
