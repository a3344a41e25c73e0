# On a fresh machine: git, make and Python 3.10 or newer with venv are enough.
# `make` lists the targets. VENV=path keeps the virtual environment elsewhere,
# PYTHON3=path chooses the interpreter that makes it. Where uv is on the PATH
# it makes the environment and fills it; UV= has pip do it all the same.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV ?= .venv
PYTHON := $(VENV)/bin/python
PYTHON3 ?= python3 python3.13 python3.12 python3.11 python3.10
UV ?= $(shell command -v uv)
ifneq ($(UV),)
INSTALL := $(UV) pip install --python $(PYTHON)
PROGRESS := /^ [-+~] /!p
else
INSTALL := $(PYTHON) -m pip --disable-pip-version-check install
PROGRESS := s/^Collecting \([^ ]*\).*/  \1/p
endif
SCHEMA := $(VENV)/bin/check-jsonschema --builtin-schema vendor
# The demo needs little; an environment that has more will do as well.
SHOP := $(if $(wildcard $(VENV)/.test),$(VENV)/.test,$(VENV)/.demo)

# As many processes as the machine has cores. What has to stay together is marked with `xdist_group`.
PARALLEL ?= --numprocesses=auto --dist=loadgroup

# What a shop's developer has exported for the shop is not meant for these tests.
unexport DATABASE_URL DJANGO_SETTINGS_MODULE PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH

.PHONY: help demo run test test-fast lint format types messages chaos bench bench-age bench-smoke build screenshots docs clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS='	' read -r target does; do \
		printf '  make %-11s %s\n' "$$target" "$$does"; done

demo: $(SHOP) ## a visitor logs in and buys, also while the vendor is down; what it gets, what the send log says
	@$(PYTHON) -m example_project.demo

run: $(SHOP) ## leave the example shop and the stand-in vendor running, to click through
	@$(PYTHON) -m example_project.run

test: $(VENV)/.test ## the tests on SQLite, with 100 % coverage required; ARGS="-k resend" goes to pytest
	@rm -f .coverage .coverage.*
	$(PYTHON) -m coverage run -m pytest $(PARALLEL) $(ARGS)
	@$(PYTHON) -m coverage combine --quiet
	$(PYTHON) -m coverage report

test-fast: $(VENV)/.test ## of the tests those that start no process and are quick: for the loop while writing
	$(PYTHON) -m pytest $(PARALLEL) -m "not process and not once and not ends and not newest" $(ARGS)

lint: $(VENV)/.dev ## what reads without running: code, templates, spelling, the forms and workflows of .github
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(VENV)/bin/djlint --lint --quiet django_vt example_project
	$(VENV)/bin/typos
	$(VENV)/bin/zizmor --offline --quiet --no-progress .github
	$(SCHEMA).github-workflows .github/workflows/*.yml
	$(SCHEMA).github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml
	$(SCHEMA).github-issue-config .github/ISSUE_TEMPLATE/config.yml
	$(SCHEMA).dependabot .github/dependabot.yml
	$(SCHEMA).readthedocs .readthedocs.yaml

format: $(VENV)/.dev ## let ruff mend what it can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: $(VENV)/.dev ## mypy, strict
	$(PYTHON) -m mypy

messages: $(VENV)/.test ## take new strings into the translations and compile them; ARGS=fr begins another language
	$(PYTHON) -m tests.translations $(ARGS)

CHAOS_DATABASES ?= sqlite postgresql mariadb
CHAOS_OPTIONS ?= --seconds 60 --kills 24

chaos: $(VENV)/.servers ## kill the shop's processes while the vendor misbehaves, then compare the books; needs the servers
	@for database in $(CHAOS_DATABASES); do \
		$(PYTHON) -m tests.chaos --database $$database $(CHAOS_OPTIONS) || exit 1; done

bench: $(VENV)/.bench ## what the app costs a shop, into benchmarks/RESULTS.md; needs PostgreSQL, MariaDB and Debian's nginx
	$(PYTHON) -W ignore -m benchmarks

bench-age: $(VENV)/.bench ## what years of entries cost: logs of up to ten million; needs all three servers and 20 GB of disk
	$(PYTHON) -W ignore -m benchmarks.age

bench-smoke: $(VENV)/.bench ## a little of both, in a minute: whether everything still runs
	$(PYTHON) -W ignore -m benchmarks --smoke
	$(PYTHON) -W ignore -m benchmarks.age --smoke

build: $(VENV)/.dev ## sdist and wheel into dist/
	@rm -rf build dist
	@$(PYTHON) -m build --no-isolation --outdir dist . >build.log 2>&1 || { cat build.log; rm -f build.log; exit 1; }
	@rm -rf build build.log
	$(PYTHON) -m twine check --strict dist/*

screenshots: $(VENV)/.browser tests/browser/node_modules ## the admin's pages in Debian's Chromium, into docs/ and build/screenshots
	$(PYTHON) -m pytest -p no:cacheprovider --ds=tests.browser.settings --keep-pictures tests/browser/test_pages.py

docs: $(VENV)/.docs ## the documentation into docs/_build/html; warnings and broken links are errors
	@rm -rf docs/_build
	$(PYTHON) -m sphinx --fail-on-warning --keep-going --nitpicky --quiet --builder html docs docs/_build/html
	$(PYTHON) docs/check_links.py docs/_build/html

clean: ## remove what the other targets have made, the virtual environment too
	rm -rf $(VENV) .venvs build dist django_vt.egg-info .ci/logs docs/_build htmlcov .coverage .coverage.* tests/browser/node_modules
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of packages: made again when their list changes.
$(VENV)/.demo: extras := demo
$(VENV)/.test: extras := test
$(VENV)/.dev: extras := test,dev
$(VENV)/.docs: extras := test,docs
$(VENV)/.browser: extras := test,browser
$(VENV)/.servers: extras := test,servers
$(VENV)/.bench: extras := test,servers,bench
$(VENV)/.demo $(VENV)/.test $(VENV)/.dev $(VENV)/.docs $(VENV)/.browser $(VENV)/.servers $(VENV)/.bench: setup.cfg pyproject.toml | $(PYTHON)
	@case "$(extras)" in *servers*) pkg-config --exists libmariadb || pkg-config --exists mysqlclient || { \
		echo "mysqlclient has no wheel for Linux, it is compiled. What that needs is missing; Debian and Ubuntu:" >&2; \
		echo "    apt install build-essential pkg-config libmariadb-dev" >&2; exit 1; } ;; esac
	@echo "Installing django-vt[$(extras)] into $(VENV) ..."
	@rm -f $@
	@{ $(INSTALL) --editable '.[$(extras)]' 2>&1 && touch $@; } | tee $(VENV)/install.log | sed -un '$(PROGRESS)'
	@test -f $@ || { cat $(VENV)/install.log >&2; exit 1; }

# axe-core, which its makers publish with npm only.
tests/browser/node_modules: tests/browser/package.json
	npm install --silent --no-audit --no-fund --no-package-lock --prefix tests/browser
	@touch $@

ifneq ($(UV),)
# uv takes the first Python that is new enough, and fetches one where there is none.
$(PYTHON):
	@echo "Making $(VENV) ..."
	@$(UV) venv --quiet --clear --python '$(if $(filter command line,$(origin PYTHON3)),$(PYTHON3),>=3.10)' $(VENV)
else
# The first interpreter that is new enough and can make a virtual environment. A pyenv shim may be
# on the PATH and not run, a Debian python3 may lack ensurepip: so each is tried, not only looked for.
$(PYTHON):
	@for python in $(PYTHON3); do \
		why=$$($$python -c "$$PROBE" 2>&1) && { \
			echo "Making $(VENV) with $$why ..."; exec $$python -m venv --clear $(VENV); }; \
		case $$why in "Python "*) tried="$$tried\n  $$python: $$why" ;; *) tried="$$tried\n  $$python: does not run" ;; esac; \
	done; \
	printf "django-vt needs Python 3.10 or newer with the venv module. Tried:$$tried\n" >&2; \
	printf "Install one (Debian, Ubuntu: apt install python3-venv), or name one: make PYTHON3=/path/to/python3\n" >&2; \
	exit 1
endif

define PROBE
import sys
name = "Python %d.%d.%d" % sys.version_info[:3]
if sys.version_info < (3, 10):
    sys.exit(name + " is too old")
try:
    import ensurepip, venv
except ImportError as error:
    sys.exit(name + " cannot make virtual environments: " + str(error))
print(name)
endef
export PROBE
