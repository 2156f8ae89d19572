#!/bin/sh
# Sets up what tests need and runs all of them; the last line is "N passed, N failed".  sh tests/run.sh
# Format, lints, every test of the workspace (end to end and browser included), simulator sweeps. With CI=true nothing may be missing.
# HOLDFAST_SEEDS: how many simulator seeds (300 where not given). HOLDFAST_LAW_CASES: cases of each law (10,000 where not given).
set -u

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=configs/toolchain.sh
. "$root/configs/toolchain.sh"
cd "$root" || exit 1

target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$root/$target ;; esac
export CARGO_TARGET_DIR="$target" CARGO_TERM_COLOR=never
logs=$target/holdfast-tests
mkdir -p "$logs"
rm -f "$logs"/*.log "$logs"/*.png "$logs/skipped.txt"

passed=0
failed=0
in_ci() { [ "${CI:-}" = true ]; }

# finish: the last line and the exit code.
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

# lacking WHAT: says what can't be tried here; in CI that is a failure.
lacking() {
    if in_ci; then
        echo "MISSING $1" >&2
        failed=$((failed + 1))
    else
        echo "skipped: $1"
    fi
}

# step NAME COMMAND...: one step that passes or fails as a whole; its words only where it failed.
step() {
    name=$1
    shift
    begun=$(now)
    log=$logs/$(echo "$name" | tr ' ' '-').log
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        printf '%-58s ok      %s\n' "$name" "$(since "$begun")"
    else
        failed=$((failed + 1))
        printf '%-58s FAILED  %s\n' "$name" "$(since "$begun")"
        tail -n 60 "$log"
        return 1
    fi
}

# has_packages PACKAGE...: all of them installed.
has_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || return 1
    done
}

# A browser, fonts for Chinese, network namespaces, radio modems, and something that spreads seeds over processes.
need_parts() {
    parts="chromium chromium-driver direwolf fonts-noto-cjk iproute2 parallel"
    command -v dpkg-query >/dev/null 2>&1 || return 0
    # shellcheck disable=SC2086 # the packages are words
    has_packages $parts && return 0
    # shellcheck disable=SC2086
    if has_apt && is_root && install_debian $parts; then
        return 0
    fi
    lacking "the page in a browser, network namespaces, radio modems, seeds spread over processes: as root, apt-get install $parts"
}

# count FILE: adds what the test binaries counted.
count() {
    sums=$(awk '/^test result:/ { for (i = 1; i < NF; i++) { if ($(i + 1) == "passed;") p += $i; if ($(i + 1) == "failed;") f += $i } } END { print p + 0, f + 0 }' "$1")
    passed=$((passed + ${sums% *}))
    failed=$((failed + ${sums#* }))
}

# show_failures FILE: names and output of the tests that failed.
show_failures() {
    awk '/^failures:$/ { shown = 1 } /^test result:/ { if (shown) print; shown = 0 } shown' "$1"
}

whole=$(now)
need_toolchain || {
    failed=1
    finish
}
need_parts

if "$cargo" fmt --version >/dev/null 2>&1; then
    step "format" "$cargo" fmt --all --check
else
    lacking "format: no rustfmt (rustup component add rustfmt, or Debian's rustfmt-web)"
fi

# Programs and tests in one build, so that what both share is built once; then the tests use these programs.
if ! step "build" "$cargo" build --workspace --locked --bins --tests; then
    finish
fi
export HOLDFAST_BIN_DIR="$target/debug"

begun=$(now)
"$cargo" test --workspace --locked --no-fail-fast >"$logs/test.log" 2>&1
status=$?
before=$failed
count "$logs/test.log"
if [ "$status" -eq 0 ]; then
    printf '%-58s ok      %s\n' "tests" "$(since "$begun")"
else
    printf '%-58s FAILED  %s\n' "tests" "$(since "$begun")"
    show_failures "$logs/test.log"
    # A test binary that died says no result of its own.
    if [ "$failed" -eq "$before" ]; then
        failed=$((failed + 1))
        tail -n 40 "$logs/test.log"
    fi
fi
[ ! -s "$logs/skipped.txt" ] || sed 's/^/skipped: /' "$logs/skipped.txt"

# The laws again with many cases: the default of the run above is moderate. A failure prints its seed.
laws=${HOLDFAST_LAW_CASES:-10000}
# Of the whole workspace, like the build above: of one package alone all would be built once more, with other features.
step "laws, $laws cases each" env PROPTEST_CASES="$laws" "$cargo" test --workspace --locked --lib laws
# Needs root: small disks that fill up. One after the other: a `mount` started by one test holds the lock file of the other until it runs.
if is_root; then
    step "full disks" "$cargo" test --workspace --locked --lib -- --ignored --test-threads 1 store
else
    lacking "full disks: only root can mount small ones"
fi

rm -rf "$logs/s-demo" "$logs/p-planted" "$logs/swept"
# A shipped scenario as a controller plays it, then again out of its record: every expectation met, and the same run to the last event.
step "exercise" "$target/debug/holdfast-sim" run configs/scenarios/s-demo --out "$logs/s-demo"
# Debug and release are the same run: nothing depends on what an optimiser does or an assertion checks.
released() {
    "$cargo" build --locked --release -p holdfast-sim &&
        "$target/release/holdfast-sim" replay "$logs/s-demo"
}
step "the same exercise in a release build" released
step "planted conflicts" "$target/debug/holdfast-sim" run configs/scenarios/p-planted --out "$logs/p-planted"
step "the same exercise again" "$target/debug/holdfast-sim" replay "$logs/s-demo"

seeds=${HOLDFAST_SEEDS:-300}
step "simulator, $seeds seeds twice each" "$target/debug/holdfast-sim" sweep --seeds "0..$seeds" --jobs 2 \
    --out "$logs/swept"

# Seeds spread over processes by another program, and summed up afterwards: the same bytes as all of them in one.
apart() {
    sim=$target/debug/holdfast-sim
    seq 0 39 | parallel --will-cite -j 2 "$sim" sweep --seeds {} --allow-vacuous --out "$logs/swept-apart" &&
        "$sim" sweep --merge "$logs/swept-apart" --allow-vacuous &&
        "$sim" sweep --seeds 0..40 --allow-vacuous --out "$logs/swept-together" &&
        diff -r "$logs/swept-apart" "$logs/swept-together"
}
rm -rf "$logs/swept-apart" "$logs/swept-together"
if command -v parallel >/dev/null 2>&1; then
    step "seeds spread by GNU parallel" apart
else
    echo "skipped: seeds spread by GNU parallel: it is not installed"
fi

if "$cargo" clippy --version >/dev/null 2>&1; then
    step "lints" "$cargo" clippy --workspace --locked --all-targets -- -D warnings
else
    lacking "lints: no clippy (rustup component add clippy, or Debian's rust-web-clippy)"
fi

echo "took $(since "$whole"); logs and screenshots are in $logs"
finish
