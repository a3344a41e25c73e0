# What the machine must have: interpreters, compilers, services. Sourced by .ci/run.

find_python() { # version such as 3.12: prints the path of an interpreter that runs
    local python
    for python in $(printf '%s\n' "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python | sort -rV) "python$1"; do
        if [ "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$1" ]; then
            "$python" -c "import sys; print(sys.executable)"
            return
        fi
    done
    echo "Python $1 is missing: install it with pyenv, or put python$1 on the PATH" >&2
    return 1
}

folders_of_pythons() { # versions: prints the folders of their interpreters, as PATH has them
    local version python folders=
    for version in "$@"; do
        python=$(find_python "$version") || return
        folders+=$(dirname "$python"):
    done
    echo "${folders%:}"
}

install_uv() { # a wheel, too
    command -v uv || { python3.11 -m venv --clear .venvs/uv && .venvs/uv/bin/pip install --quiet uv; }
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

need_packages() { # Debian packages
    as_root apt-get -qq update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends --yes "$@"
}

need_build_tools() { # for mysqlclient, which has no wheels for Linux
    { command -v gcc && command -v pkg-config && pkg-config --exists libmariadb; } >/dev/null ||
        need_packages build-essential libmariadb-dev pkg-config
}

need_browser() {
    { command -v chromium && command -v chromedriver; } >/dev/null || need_packages chromium chromium-driver
    command -v npm >/dev/null || need_packages npm
}

listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

need_service() { # name, port, command that starts it
    local attempt
    listening "$2" && return
    echo "$1 is down, starting it"
    "$3"
    for attempt in {1..60}; do
        listening "$2" && return
        sleep 0.5
    done
    echo "$1 does not listen on 127.0.0.1:$2 after $attempt tries, and $3 could not start it"
    return 1
}

start_postgresql() {
    local version
    for version in /etc/postgresql/*; do
        as_root pg_ctlcluster --skip-systemctl-redirect "${version##*/}" main start
    done
}

start_mariadb() { as_root start-stop-daemon --start --oknodo --background --exec "$(command -v mariadbd)"; }

start_redis() { as_root redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save "" --appendonly no --dir /tmp; }

start_rabbitmq() { as_root rabbitmq-server -detached; }

prepare_machine() {
    need_build_tools &&
        need_browser &&
        need_service PostgreSQL 5432 start_postgresql &&
        need_service MariaDB 3306 start_mariadb &&
        need_service Redis 6379 start_redis &&
        need_service RabbitMQ 5672 start_rabbitmq
}
