"""What the wheel and the sdist hold: everything that a shop needs, and in the wheel nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

import django_vt

pytestmark = [pytest.mark.process, pytest.mark.once, pytest.mark.xdist_group("packaging")]

ROOT = Path(__file__).parents[2]
METADATA = (
    ".editorconfig", ".pre-commit-config.yaml", ".readthedocs.yaml", "ARCHITECTURE.md", "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md", "SECURITY.md", "noxfile.py", "pyproject.toml",
    "setup.cfg",
)  # fmt: skip
FOLDERS = (".github", "benchmarks", "django_vt", "docs", "example_project", "tests")
NOT_PACKAGED = shutil.ignore_patterns(
    "__pycache__", "_build", "node_modules", "*.pyc", "*.sqlite3*", ".env", "secret-key", "shop.log"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project as a fresh clone has it: a build in the work tree could pick up what lies about there."""
    project = tmp_path_factory.mktemp("project")
    for name in METADATA:
        shutil.copy(ROOT / name, project)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, project / name, ignore=NOT_PACKAGED)
    return project


@pytest.fixture(scope="module")
def built(project):
    """The folder of a wheel made from an sdist, as `make build` makes them."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", "."]
    build = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stdout + build.stderr
    return project / "dist"


@pytest.fixture(scope="module")
def wheel(built):
    [path] = built.glob("*.whl")
    with ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel) -> Message:
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(wheel.read(name).decode())


def files(project: Path, *folders: str) -> set[str]:
    paths = [path for folder in folders for path in (project / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(project)) for path in paths}


def test_the_wheel_holds_every_file_of_the_package(wheel, project):
    packaged = {name for name in wheel.namelist() if name.startswith("django_vt/")}
    assert packaged == files(project, "django_vt")


def test_the_wheel_holds_nothing_but_the_package(wheel):
    assert {name.split("/")[0] for name in wheel.namelist()} == {
        "django_vt",
        f"django_vt-{django_vt.__version__}.dist-info",
    }


def test_the_wheel_says_that_it_is_typed_and_brings_its_migrations_and_templates(wheel):
    names = wheel.namelist()
    assert "django_vt/py.typed" in names
    assert "django_vt/migrations/0001_initial.py" in names
    assert any(name.startswith("django_vt/templates/") for name in names)


def test_the_sdist_holds_all_that_a_build_and_a_test_run_need(built, project):
    [path] = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        packed = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert files(project, *FOLDERS) | set(METADATA) <= packed


def test_an_installation_brings_django_and_requests_and_no_more(metadata):
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.split(">=")[0] for line in required) == ["django", "requests"]


def test_the_metadata_names_licence_python_and_readme(metadata):
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert (ROOT / "README.md").read_text(encoding="utf-8").strip() == str(metadata.get_payload()).strip()


def test_pytest_finds_the_plugin(wheel):
    [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    assert "django_vt = django_vt.testing.pytest_plugin" in wheel.read(name).decode()
