"""Holds the tests to their layout: where a module's tests are, and what a test says that it needs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PACKAGE, TESTS = ROOT / "django_vt", ROOT / "tests"
UNIT = TESTS / "unit"

# The modules without a test file of their name, and where their tests are: what they do shows only there.
ELSEWHERE = {
    "admin/actions.py": "admin/test_resending.py",
    "admin/columns.py": "admin/test_changelist.py",
    "admin/send_log.py": "admin/test_permissions.py",
    "apps.py": "test_api.py",
    "contrib/oscar/apps.py": "contrib/test_oscar.py",
    "contrib/oscar/orders.py": "contrib/test_oscar.py",
    "contrib/oscar/receivers.py": "contrib/test_oscar.py",
    "contrib/plans/apps.py": "contrib/test_plans.py",
    "contrib/plans/orders.py": "contrib/test_plans.py",
    "contrib/plans/receivers.py": "contrib/test_plans.py",
    "contrib/salesman/apps.py": "contrib/test_salesman.py",
    "contrib/salesman/orders.py": "contrib/test_salesman.py",
    "contrib/salesman/receivers.py": "contrib/test_salesman.py",
    "delivery/run.py": "delivery/test_concurrency.py",
    "dispatchers/_platform.py": "dispatchers/test_obstacles.py",
    "dispatchers/base.py": "dispatchers/test_dispatchers.py",
    "dispatchers/immediate.py": "dispatchers/test_dispatchers.py",
    "dispatchers/manual.py": "dispatchers/test_dispatchers.py",
    "exceptions.py": "test_events.py",
    "hooks.py": "recording/test_before_record.py",
    "management/advice.py": "management/commands/test_send_test_event.py",
    "management/base.py": "management/commands/test_all_commands.py",
    "management/commands/export_shopper.py": "operations/test_exporting.py",
    "management/commands/find_unreported_orders.py": "operations/test_unreported.py",
    "management/shopper_arguments.py": "management/commands/test_forget_shopper.py",
    "models/functions.py": "admin/test_changelist.py",
    "models/orders_look.py": "operations/test_unreported.py",
    "models/remembered_identity.py": "recording/test_remembering.py",
    "operations/durations.py": "management/test_wording.py",
    "operations/figures.py": "management/commands/test_send_log_status.py",
    "operations/resending.py": "management/commands/test_resend.py",
    "operations/sending_state.py": "admin/test_explain.py",
    "operations/shopper.py": "operations/test_mentions.py",
    "recording/call.py": "recording/test_door.py",
    "recording/salvage.py": "recording/test_record_failures.py",
    "recording/shield.py": "recording/test_record_failures.py",
    "settings_rules.py": "checks/test_values_of_settings.py",
    "signals.py": "recording/test_receivers.py",
    "tasks.py": "dispatchers/test_celery.py",
    "templatetags/vt_orders.py": "admin/test_order_page.py",
    "tenants.py": "checks/test_tenants.py",
    "testing/fake_vendor/document.py": "testing/test_fake_vendor_document.py",
    "testing/fake_vendor/server.py": "testing/test_fake_vendor_life.py",
}
STARTS_PROCESSES = re.compile(
    r"^import subprocess|from tests\.support import processes|\bprocess_environment\b", re.MULTILINE
)


def modules() -> list[str]:
    """Each module of the package, but those that only Python or Django itself asks for by name."""
    paths = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]
    return sorted(str(path) for path in paths if not path.name.startswith("__") and "migrations" not in path.parts)


def has_tests_of_its_name(module: str) -> bool:
    """A file, or a folder of them."""
    path = Path(module)
    named = path.stem.removeprefix("_")
    return (UNIT / path.parent / f"test_{named}.py").exists() or (UNIT / path.parent / named).is_dir()


def test_each_module_has_tests_of_its_name_or_is_known_to_be_tested_elsewhere() -> None:
    assert [module for module in modules() if not has_tests_of_its_name(module)] == sorted(ELSEWHERE)


@pytest.mark.parametrize("path", sorted(set(ELSEWHERE.values())))
def test_the_tests_that_are_elsewhere_are_there(path: str) -> None:
    assert (UNIT / path).exists()


@pytest.mark.parametrize("path", [str(path.relative_to(TESTS)) for path in sorted(TESTS.rglob("test_*.py"))])
def test_tests_that_start_processes_say_so(path: str) -> None:
    text = (TESTS / path).read_text(encoding="utf-8")
    if path != "repository/test_test_files.py" and STARTS_PROCESSES.search(text):
        assert "mark.process" in text


def test_every_mark_is_told_in_the_readme_and_borne_by_some_test() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("\nmarkers = [\n")[2].partition("\n]")[0]
    names = set(re.findall(r'^    "(\w+)', declared, re.MULTILINE))
    assert "process" in names
    readme = (TESTS / "README.md").read_text(encoding="utf-8")
    assert {name for name in names if f"| `{name}` |" not in readme} == set()
    tests = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    assert {name for name in names if f"mark.{name}" not in tests} == set()
