# Steps: each runs a command with its output in a log, and remembers how it ended. Sourced by .ci/run.

LOGS=$PWD/.ci/logs
LANES=${CI_LANES:-3} # one more than cores: the tests often wait for processes and servers of their own
STEPS=()

rm -rf "$LOGS"
mkdir -p "$LOGS"

step() { # name, command...
    STEPS+=("$1")
    run_step "$@"
}

beside() { # name, command...: as step, but up to LANES of them at a time; `wait` waits for the rest
    while (($(jobs -rp | wc -l) >= LANES)); do wait -n; done
    STEPS+=("$1")
    run_step "$@" &
}

run_step() {
    local name=$1 log=$LOGS/$1.log begun=$SECONDS verdict
    shift
    if ("$@") >"$log" 2>&1; then verdict=passed; else verdict=FAILED; fi
    printf '%s %5d s  %s\n' "$verdict" $((SECONDS - begun)) "$name" >"$LOGS/$name.result"
    if [ $verdict = FAILED ]; then
        # In one piece, so that two lanes don't mix.
        printf '%s\n\n' "$(printf '\n----- %s failed: -----\n' "$name"; tail -n 400 "$log")"
    fi
    cat "$LOGS/$name.result"
}

conclude() { # how each step ended, then the test runner's own closing lines; exits 1 if any step failed
    local name failed=0
    printf '\n'
    for name in "${STEPS[@]}"; do
        cat "$LOGS/$name.result" 2>/dev/null || echo "FAILED         $name (did not run)"
        grep -qs '^passed' "$LOGS/$name.result" || failed=1
    done
    for name in "${STEPS[@]}"; do
        grep -EH '^=+ .*(passed|failed|error|no tests ran).* in [0-9.]+s.*=+$' "$LOGS/$name.log" | tail -n 1
    done | sed -E 's,^.*/([^/]+)\.log:,\n\1\n,'
    exit $failed
}
