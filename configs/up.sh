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

# step N TEXT: the beginning of a line; done_in TEXT: its end. Chinese is not padded: printf counts its bytes, not its places.
step() { if [ -n "$zh" ]; then printf '[%s/3] %s  ' "$1" "$2"; else printf '[%s/3] %-58s' "$1" "$2"; fi; }
done_in() { printf '%s\n' "$1"; }

# Both programs are there, and nothing they are made of is newer.
up_to_date() {
    [ -x "$bin/holdfast" ] && [ -x "$bin/holdfastd" ] || return 1
    for program in holdfast holdfastd; do
        newer=$(cd "$root" && find Cargo.toml Cargo.lock proto daemon cli configs/*.toml -newer "$bin/$program" 2>/dev/null | head -n 1)
        [ -z "$newer" ] || return 1
    done
}

ticker=
stop() {
    trap - INT TERM HUP
    [ -z "$ticker" ] || kill "$ticker" 2>/dev/null || true
    echo
    say "Stopped. What was built so far stays in $target; nothing else was left behind." \
        "已停止。已建置的部分保留在 $target，沒有留下其他檔案。" >&2
    echo >&2
    exit 130
}

# On a terminal: how far the build is, twice a second.
tick() {
    while sleep 0.5; do
        printf '\r'
        step 2 "$building"
        spent=$(since "$begun")
        parts=$(grep -c Compiling "$log" || true)
        say "$spent, $parts parts " "$spent，$parts 個部分 "
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
        printf '\r\033[K'
        step 2 "$building"
    fi
    return "$status"
}

trap stop INT TERM HUP

begun=$(now)
if up_to_date; then
    step 1 "$(say "Built before, nothing has changed since" "先前已建置，之後沒有變更")"
    done_in "$(say "ok" "完成")  $(since "$begun")"
    step 2 "$(say "Nothing to build" "不需要建置")"
    done_in "$(say "ok" "完成")  0s"
else
    step 1 "Rust"
    need_toolchain
    done_in "$(say "ok" "完成")  $(since "$begun") ($rust_version)"
    mkdir -p "$target"
    log=$target/up.log
    begun=$(now)
    building=$(say "Building (the first time takes some minutes)" "建置（第一次需要幾分鐘）")
    step 2 "$building"
    # Without network first where it may do: everything has been fetched once.
    if { [ -x "$bin/holdfast" ] && build_with --offline; } || build_with; then
        done_in "$(say "ok" "完成")  $(since "$begun")"
    else
        done_in "$(say "failed after" "失敗，費時") $(since "$begun")"
        tail -n 30 "$log" >&2
        say "The build failed; all of it is in $log. Without network: it is needed the first time, to fetch libraries." \
            "建置失敗，完整訊息在 $log。若沒有網路：第一次建置需要網路下載函式庫。" >&2
        echo >&2
        exit 1
    fi
fi
trap - INT TERM HUP

printf '[3/3] %s\n' "$(say "Starting the practice nodes on this computer" "在這台電腦上啟動演練據點")"
exec "$bin/holdfast" demo "$@"
