# Finds a Rust toolchain and a C compiler, or installs Debian's. Sourced by configs/up.sh and tests/run.sh; POSIX sh.
# Sets `cargo`; wants `root` (the clone). Never removes anything that is installed.

# say ENGLISH CHINESE: the one for the language of this terminal, as `holdfast` chooses it; no line end.
case ${HOLDFAST_LANG:-${LC_ALL:-${LANG:-}}} in [Zz][Hh]*) zh=1 ;; *) zh= ;; esac
say() { if [ -n "$zh" ]; then printf '%s' "$2"; else printf '%s' "$1"; fi; }

# The clock of this script, in seconds.
now() { date +%s; }

# "3m41s" for the seconds since $1.
since() {
    spent=$(($(now) - $1))
    if [ "$spent" -ge 60 ]; then echo "$((spent / 60))m$((spent % 60))s"; else echo "${spent}s"; fi
}

# at_least HAVE WANTED: both MAJOR.MINOR, perhaps with more behind.
at_least() {
    have_minor=${1#*.}
    want_minor=${2#*.}
    have_minor=${have_minor%%[!0-9]*}
    want_minor=${want_minor%%[!0-9]*}
    case "${1%%.*}${have_minor}${2%%.*}${want_minor}" in '' | *[!0-9]*) return 1 ;; esac
    [ "${1%%.*}" -gt "${2%%.*}" ] || { [ "${1%%.*}" -eq "${2%%.*}" ] && [ "${have_minor:-0}" -ge "${want_minor:-0}" ]; }
}

# The version that `$1 --version` prints, run in the clone: rustup decides by folder.
version_of() {
    (cd "$root" && "$1" --version 2>/dev/null) | sed -n 's/^[a-z]* \([0-9][0-9.]*\).*/\1/p'
}

# Sets `cargo` and `rust_version` to a toolchain that is new enough, or fails.
find_cargo() {
    for candidate in cargo "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" /usr/bin/cargo; do
        path=$(command -v "$candidate" 2>/dev/null) || continue
        rust_version=$(version_of "$path")
        compiler=$(version_of "$(dirname "$path")/rustc")
        [ -n "$compiler" ] || compiler=$(version_of rustc)
        at_least "${rust_version:-0.0}" "$rust_wanted" && at_least "${compiler:-0.0}" "$rust_wanted" || continue
        cargo=$path
        # cargo looks for its companions (rustc, cargo-fmt, cargo-clippy) on the path.
        PATH=$(dirname "$path"):$PATH
        export PATH
        return 0
    done
    return 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

has_apt() { command -v apt-get >/dev/null 2>&1; }

# install_debian PACKAGE...: as root only; the words of apt-get are shown where it fails. --no-remove: nothing that is there goes away.
install_debian() {
    apt_log=$(mktemp)
    if { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends --no-remove "$@"; } >"$apt_log" 2>&1; then
        rm -f "$apt_log"
        return 0
    fi
    tail -n 15 "$apt_log" >&2
    rm -f "$apt_log"
    return 1
}

# Says what to do about a missing toolchain, on stderr.
say_rustup() {
    say "Holdfast needs Rust $rust_wanted or newer and a C compiler; neither can be installed from here.
  Rust:       get rustup from https://rustup.rs, then \`rustup toolchain install stable\`
  C compiler: your system's gcc or clang package
Then run this again.
" "Holdfast 需要 Rust $rust_wanted 以上與 C 編譯器，這裡無法代為安裝。
  Rust：     請從 https://rustup.rs 安裝 rustup，再執行 \`rustup toolchain install stable\`
  C 編譯器： 請安裝系統的 gcc 或 clang 套件
完成後請再執行一次。
" >&2
}

# Finds or installs what a build needs; sets `cargo` and `rust_version`, or fails after saying what to do.
need_toolchain() {
    rust_wanted=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' "$root/Cargo.toml" | head -n 1)
    packages=
    find_cargo || packages="cargo-web gcc libc6-dev"
    [ -n "$packages" ] || command -v cc >/dev/null 2>&1 || packages="gcc libc6-dev"
    [ -n "$packages" ] || return 0
    if ! has_apt; then
        say_rustup
        return 1
    fi
    if ! is_root; then
        {
            say "Holdfast needs Rust $rust_wanted or newer and a C compiler. On Debian 12, one command as root gives both:" \
                "Holdfast 需要 Rust $rust_wanted 以上與 C 編譯器。在 Debian 12 上，以 root 執行一個指令即可安裝兩者："
            printf '\n  apt-get update && apt-get install --no-remove %s\n' "$packages"
            say "Then run this again. Where that is too old: rustup from https://rustup.rs." \
                "完成後請再執行一次。若版本太舊，請從 https://rustup.rs 安裝 rustup。"
            echo
        } >&2
        return 1
    fi
    # shellcheck disable=SC2086 # the packages are words
    install_debian $packages || {
        say_rustup
        return 1
    }
    find_cargo && command -v cc >/dev/null 2>&1 && return 0
    say "This system's packages hold no Rust $rust_wanted.
" "此系統的套件沒有 Rust $rust_wanted。
" >&2
    say_rustup
    return 1
}
