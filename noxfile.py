"""The environments that the tests run in: which Python, which Django, on which database. `nox --list` shows them.

`.ci/run` runs all of these sessions, and so does .github/workflows/ci.yml. Each takes the wheel that `make build`
leaves in dist/. Those tagged `services` need the servers; POSTGRESQL_SERVER and MARIADB_SERVER say where they are if
not on this machine. What needs one environment only is a target of the Makefile.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
OLDEST, NEWEST = ("3.10", "5.2"), ("3.13", "6.1")
# Python, Django, and what this pair is tested on besides SQLite: the two ends on all there is, those between them with
# what starts no process. `make test` runs 3.11 with 5.2, `webassembly` 3.14 with 6.1.
PAIRS = [
    ("3.10", "5.2", ("postgresql", "mariadb", "queues")),
    ("3.12", "5.2", ()),
    ("3.12", "6.0", ()),
    ("3.12", "6.1", ()),
    ("3.13", "5.2", ()),
    ("3.13", "6.0", ()),
    ("3.13", "6.1", ("postgresql", "mariadb", "queues")),
]
SERVERS = {
    "postgresql": os.environ.get("POSTGRESQL_SERVER", "postgres://postgres@127.0.0.1:5432"),
    "mariadb": os.environ.get("MARIADB_SERVER", "mysql://root@127.0.0.1:3306"),
}
# What a shop's developer has exported for the shop is not meant for these tests.
CLEAN = dict.fromkeys(("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PYTEST_ADDOPTS", "PYTHONHOME", "PYTHONPATH"))


def cells() -> Iterator[object]:
    """A session for each pair and each database."""
    for python, django, others in PAIRS:
        for server in ("sqlite", *others):
            tags = [] if server == "sqlite" else ["services"]
            yield nox.param(python, django, server, id=f"py{python}-django{django}-{server}", tags=tags)


def pairs(*chosen: tuple[str, str]) -> list[object]:
    """A session for each of these pairs."""
    return [nox.param(python, django, id=f"py{python}-django{django}") for python, django in chosen]


def packages() -> Iterator[object]:
    """A session at both ends for each folder of tests/ that needs another package, and the extra that installs it."""
    for folder in ("allauth", "apis", "impersonation", "payments", "plans", "salesman"):
        oldest = ("3.11", "5.2") if folder == "payments" else OLDEST  # as dj-stripe needs
        for python, django in (oldest, NEWEST):
            extra = "salesman-plus" if (folder, django) == ("salesman", "6.1") else folder
            yield nox.param(python, django, folder, extra, id=f"{folder}-py{python}-django{django}")


@nox.session
def webassembly(session: nox.Session) -> None:
    """Python 3.14 with Django 6.1, in node: what needs no thread, no process and no socket, and is not slow."""
    folder = Path(session.virtualenv.location)
    packages = folder / "packages"
    node = ("npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", str(folder))
    shutil.rmtree(packages, ignore_errors=True)
    for name in ("package.json", "run.mjs"):
        shutil.copy(ROOT / "tests" / "webassembly" / name, folder)
    session.run(*node, external=True)
    into = ("uv", "pip", "install", "--target", str(packages), "--python-version", "3.14", "--only-binary", ":all:")
    # Neither has a wheel for WebAssembly. PyYAML does without its compiled part, cryptography does not.
    excluded = folder / "excluded.txt"
    excluded.write_text("cryptography\npyyaml\n")
    session.run(
        *into, "--python-platform", "wasm32-pyodide2025", "--excludes", str(excluded),
        f"{wheel()}[test]", "django~=6.1.0", "tzdata",
    )  # fmt: skip
    session.run(*into, "--python-platform", "linux", "--no-deps", "pyyaml")
    marks = ("-m", "not process and not ends and not newest")
    run = ("node", str(folder / "run.mjs"), str(ROOT), str(packages), "tests", *marks)
    session.run(*run, "--at-least", "4000", *session.posargs, external=True)


@nox.session
@nox.parametrize(("python", "django", "server"), list(cells()))
def tests(session: nox.Session, django: str, server: str) -> None:
    """What may differ between the pairs and between the databases."""
    install(session, django, "test", *(() if server == "sqlite" else ("servers",)))
    migrations = ("makemigrations", "--check", "--dry-run", "--settings=tests.settings", "--pythonpath=.")
    session.run("python", "-m", "django", *migrations, env=CLEAN)
    environment = {"DATABASE_URL": database_url(server, session.name)} if server in SERVERS else {}
    if (session.python, django, server) == (*NEWEST, "sqlite"):
        environment["PYTHONDEVMODE"] = "1"  # here only: everywhere it would take twice as long
    pair = str(session.python), django
    run_tests(session, *selection(pair, server), **environment)


def selection(pair: tuple[str, str], server: str) -> list[str]:
    """The folder of the tests, and which of them."""
    return ["tests/servers" if server == "queues" else "tests", *by_mark(pair, server)]


def by_mark(pair: tuple[str, str], server: str = "") -> list[str]:
    """Without which marks of pyproject.toml this pair is tested: what bears one is left to others."""
    left = ["once"]
    if pair != NEWEST:
        left.append("newest")
    if pair not in {(python, django) for python, django, others in PAIRS if others}:
        left += ["ends", "process"]
    if server in SERVERS:
        left.append("any_database")
    return ["-m", " and ".join(f"not {mark}" for mark in left)]


@nox.session(tags=["services"])
@nox.parametrize(("python", "django"), pairs(("3.11", "5.2"), NEWEST))
def oscar(session: nox.Session, django: str) -> None:
    """A real Oscar shop, on PostgreSQL. Oscar and what it needs warn on their own account; ours stay errors."""
    install(session, django, "test", "oscar", others=["psycopg[binary]"])
    warnings = ("-W", "default", "-W", "error:::django_vt")
    options = ("--ds=tests.oscar.settings", "--no-migrations", *warnings, "tests/oscar")
    run_tests(session, *options, DATABASE_URL=database_url("postgresql", session.name))


@nox.session
@nox.parametrize(("python", "django"), pairs(("3.11", "5.2")))
def tenants(session: nox.Session, django: str) -> None:
    """A project with django-tenants, on PostgreSQL: the recipe in docs/how-to/tenants.md."""
    install(session, django, "test", "tenants", others=["psycopg[binary]"])
    options = ("--ds=tests.tenants.settings", "-W", "default", "-W", "error:::django_vt", "tests/tenants")
    run_tests(session, *options, DATABASE_URL=database_url("postgresql", session.name))


@nox.session
@nox.parametrize(("python", "django", "folder", "extra"), list(packages()))
def package(session: nox.Session, django: str, folder: str, extra: str) -> None:
    """With another package, as it is installed: the folder of tests/ that bears its name, with settings of its own."""
    install(session, django, "test", extra)
    run_tests(session, f"--ds=tests.{folder}.settings", f"tests/{folder}", PYTHONDEVMODE="1")


@nox.session
@nox.parametrize(("python", "django"), pairs(OLDEST, NEWEST))
def browser(session: nox.Session, django: str) -> None:
    """The admin in Chromium, under the Content-Security-Policy of django-csp and of Django 6.1."""
    install(session, django, "test", "browser")
    session.run("make", "tests/browser/node_modules", external=True)
    folder = ("--ds=tests.browser.settings", "tests/browser")
    run_tests(session, *folder, *by_mark((str(session.python), django)), PYTHONDEVMODE="1")


@nox.session(python="3.13")
@nox.parametrize("theme", ["unfold", "jazzmin", "grappelli"])
def themes(session: nox.Session, theme: str) -> None:
    """The admin's pages in each theme that people run. What the theme warns of is its own; ours stay errors."""
    install(session, "6.1", "test", "themes")
    session.run("make", "tests/browser/node_modules", external=True)
    run_tests(session, f"--ds=tests.themes.{theme}", "-W", "default", "-W", "error:::django_vt", "tests/themes")


@nox.session(python="3.11", tags=["services"])
def million(session: nox.Session) -> None:
    """The plans of every query on a send log of a million entries."""
    install(session, "5.2", "test", "servers")
    run_tests(session, "tests/million", DATABASE_URL=database_url("postgresql", session.name), PYTHONDEVMODE="1")


@nox.session(python="3.11", tags=["services"])
def chaos(session: nox.Session) -> None:
    """`make chaos`, short: kill the shop's processes while the vendor misbehaves, then compare the books."""
    install(session, "5.2", "test", "servers")
    for server in ("sqlite", *SERVERS):
        run = ("--database", server, "--seconds", "20", "--kills", "20")
        session.run("python", "-m", "tests.chaos", *run, env=CLEAN)


@nox.session(python="3.11", tags=["services"])
def benchmarks(session: nox.Session) -> None:
    """`make bench-smoke`: a little of every benchmark, which fails where something does not run any more."""
    install(session, "5.2", "test", "servers", "bench")
    for module in ("benchmarks", "benchmarks.age"):
        session.run("python", "-W", "ignore", "-m", module, "--smoke", env=CLEAN)


@nox.session(name="wheel", python="3.11")
def use_wheel(session: nox.Session) -> None:
    """A new project with the wheel and what it requires, and nothing else."""
    session.install(wheel())
    environment = {**CLEAN, "PYTHONDEVMODE": "1"}
    with TemporaryDirectory() as shop, session.chdir(shop):
        session.run("python", "-m", "django", "startproject", "shop", ".", env=environment)
        with Path("shop/settings.py").open("a", encoding="utf-8") as settings:
            settings.write(SETTINGS)
        session.run("python", "-c", "import django_vt, sys; sys.exit('site-packages' not in django_vt.__file__)")
        session.run("python", "manage.py", "check", "--fail-level", "WARNING", env=environment)
        session.run("python", "manage.py", "makemigrations", "--check", "--dry-run", env=environment)
        session.run("python", "manage.py", "migrate", "--verbosity", "0", env=environment)
        session.run("python", "manage.py", "send_pending", env=environment)


SETTINGS = """
INSTALLED_APPS += ["django_vt"]
MIDDLEWARE += ["django_vt.middleware.VTIdentityMiddleware"]
DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}
DJANGO_VT = {"ACCOUNT_ID": "acc123"}
"""


@nox.session(python="3.13")
def walk(session: nox.Session) -> None:
    """The tutorial and README's five steps, to the letter, as a reader would; `make test` takes the same steps."""
    session.run("python", "-m", "tests.docs.walk", wheel(), env=CLEAN)


@nox.session(name="types-for-shops", python="3.13")
def types_for_shops(session: nox.Session) -> None:
    """What a shop's own type checkers make of the wheel: no public name without a type."""
    session.install(f"{wheel()}[test,dev,typing]")
    quiet = {**CLEAN, "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    # Elsewhere: mypy looks for settings in the folders above.
    with TemporaryDirectory() as shop:
        shutil.copy(ROOT / "tests" / "typing" / "shop.py", shop)
        Path(shop, "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}', encoding="utf-8")
        report = Path(shop, "report.json")
        with session.chdir(shop):
            session.run("mypy", "--strict", "shop.py", env=quiet)
            session.run("pyright", env=quiet)
            # It exits with 1, as it counts private names as well. Those that are public are looked at one by one.
            verify = ("pyright", "--verifytypes", "django_vt", "--ignoreexternal", "--outputjson")
            with report.open("w", encoding="utf-8") as written:
                session.run(*verify, env=quiet, stdout=written, success_codes=[0, 1])
        session.run("python", "-m", "tests.typing.completeness", str(report), env=CLEAN)


def wheel() -> str:
    """The path of the wheel that `make build` has made."""
    wheels = [str(path) for path in (ROOT / "dist").glob("*.whl")]
    if len(wheels) != 1:
        sys.exit(f"There should be one wheel in dist/, not {len(wheels)}: make build")
    return wheels[0]


def install(session: nox.Session, django: str, *extras: str, others: Sequence[str] = ()) -> None:
    """The wheel with its extras and this Django, which the resolver must not have talked itself out of."""
    session.install(f"{wheel()}[{','.join(extras)}]", f"django~={django}.0", *others)
    found = "import sys, django; print('%d.%d' % sys.version_info[:2], '%d.%d' % django.VERSION[:2])"
    printed = str(session.run("python", "-c", found, silent=True)).strip()
    if printed != f"{session.python} {django}":
        session.error(f"wanted Python {session.python} and Django {django}, got {printed}")


def database_url(server: str, name: str) -> str:
    """A database of the session's own, so that two runs don't meet."""
    return f"{SERVERS[server]}/django_vt_{re.sub(r'[^a-z0-9]', '', name)}_{os.getpid()}"


def run_tests(session: nox.Session, *options: str, **environment: str) -> None:
    """With pytest, whose closing lines are the last that is printed."""
    session.run("python", "-m", "pytest", "-p", "no:cacheprovider", *options, *session.posargs, env=CLEAN | environment)
