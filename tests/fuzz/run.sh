#!/bin/sh
# Fuzzes one reader with libFuzzer on the stable toolchain:  sh tests/fuzz/run.sh TARGET [SECONDS] [libFuzzer's own options]
# Finds go to target/fuzz/TARGET; a crash is kept there and replayed by  sh tests/fuzz/run.sh TARGET 0 FILE.
# What is worth keeping is merged into tests/fuzz/corpus by  sh tests/fuzz/run.sh TARGET keep.  FEATURES=--no-default-features leaves out
# the daemon and the simulator (targets config, scenario, by-hand).
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
target=${1:?which target: see tests/fuzz/targets/mod.rs}
seconds=${2:-600}
[ $# -lt 2 ] || shift
shift
export CARGO_TARGET_DIR="$root/target/fuzz-build" HOLDFAST_FUZZ_TARGET="$target"
host=$(rustc -vV | sed -n 's/^host: //p')

# Coverage as libFuzzer wants it. With --target, build scripts and macros are left without.
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
cp "$root/Cargo.lock" "$root/tests/fuzz/Cargo.lock"
# shellcheck disable=SC2086 # the features are words
RUSTFLAGS=$coverage cargo build --quiet --release --target "$host" --manifest-path "$root/tests/fuzz/Cargo.toml" ${FEATURES:-}

program=$CARGO_TARGET_DIR/$host/release/holdfast-fuzz
kept=$root/tests/fuzz/corpus/$target
found=$root/target/fuzz/$target
mkdir -p "$kept" "$found"
# One input: 64 KiB at most, as a frame; 1 GiB and, by the clock on the wall, 60 s at most, or it counts as a fault.
limits="-max_len=65536 -timeout=60 -rss_limit_mb=1024 -malloc_limit_mb=256 -artifact_prefix=$found/crash-"
case $seconds in
    # shellcheck disable=SC2086
    keep) exec "$program" -set_cover_merge=1 -use_counters=0 $limits "$kept" "$found" ;;
    # shellcheck disable=SC2086
    0) exec "$program" $limits "$@" ;;
    # shellcheck disable=SC2086
    *) exec "$program" $limits -max_total_time="$seconds" -print_final_stats=1 "$@" "$found" "$kept" ;;
esac
