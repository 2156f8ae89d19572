#!/bin/sh
# Sets up, builds and starts a practice alliance of real nodes on this computer:  sh configs/up.sh [--nodes N] [--dir DIR] [--port-base P]
# What follows goes to `holdfast demo`. Works twice, as root or not, the second time without network. Ctrl-C ends all of it.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=configs/toolchain.sh
. "$root/configs/toolchain.sh"

target=${CARGO_TARGET_DIR:-$root/target}
case $target in /*) ;; *) target=$PWD/$target ;; esac
export CARGO_TARGET_DIR="$target"
bin=$target/release

# step N TEXT: the beginning of a line; done_in TEXT: its end.
step() { printf '[%s/3] %-58s' "$1" "$2"; }
done_in() { printf '%s\n' "$1"; }

# Both programs are there, and nothing they are made of is newer.
up_to_date() {
    [ -x "$bin/holdfast" ] && [ -x "$bin/holdfastd" ] || return 1
    for program in holdfast holdfastd; do
        newer=$(cd "$root" && find Cargo.toml Cargo.lock proto loopback daemon cli configs/*.toml -newer "$bin/$program" 2>/dev/null | head -n 1)
        [ -z "$newer" ] || return 1
    done
}

ticker=
stop() {
    trap - INT TERM HUP
    [ -z "$ticker" ] || kill "$ticker" 2>/dev/null || true
    echo
    echo "Stopped. What was built so far stays in $target; nothing else was left behind." >&2
    exit 130
}

# On a terminal: how far the build is, twice a second.
tick() {
    while sleep 0.5; do
        printf '\r[2/3] %-58s%s, %s parts ' "$building" "$(since "$begun")" "$(grep -c Compiling "$log" || true)"
    done
}

# build_with ARGS: in the foreground, so that Ctrl-C ends the compilers too.
build_with() {
    : >"$log"
    if [ -t 1 ]; then
        tick &
        ticker=$!
    fi
    if (cd "$root" && exec "$cargo" build --release --locked -p holdfast-daemon -p holdfast-cli "$@") >"$log" 2>&1; then status=0; else status=$?; fi
    if [ -n "$ticker" ]; then
        kill "$ticker" 2>/dev/null || true
        wait "$ticker" 2>/dev/null || true
        ticker=
        printf '\r\033[K[2/3] %-58s' "$building"
    fi
    return "$status"
}

trap stop INT TERM HUP

begun=$(now)
if up_to_date; then
    step 1 "Built before, nothing has changed since"
    done_in "ok  $(since "$begun")"
    step 2 "Nothing to build"
    done_in "ok  0s"
else
    step 1 "Rust"
    need_toolchain
    done_in "ok  $(since "$begun") ($rust_version)"
    mkdir -p "$target"
    log=$target/up.log
    begun=$(now)
    building="Building (the first time takes some minutes)"
    step 2 "$building"
    # Without network first where it may do: everything has been fetched once.
    if { [ -x "$bin/holdfast" ] && build_with --offline; } || build_with; then
        done_in "ok  $(since "$begun")"
    else
        done_in "failed after $(since "$begun")"
        tail -n 30 "$log" >&2
        echo "The build failed; all of it is in $log. Without network: it is needed the first time, to fetch libraries." >&2
        exit 1
    fi
fi
trap - INT TERM HUP

echo "[3/3] Starting the practice nodes on this computer"
exec "$bin/holdfast" demo "$@"
