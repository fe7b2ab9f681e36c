# Sourced by script/server, script/test and .ci/run: makes the virtual environment and keeps it right.
# Sets ROOT, VENV and PYTHON; gives ensure_environment FILE, which installs a requirements file.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
VENV=$ROOT/.venv
PYTHON=$VENV/bin/python

# apt needs root; the command that we name must work as it stands.
apt_install() {
    local sudo=
    [ "$(id -u)" -eq 0 ] || sudo="sudo "
    echo "${sudo}apt-get update && ${sudo}apt-get install -y $*"
}

fail() {
    echo "$*" >&2
    exit 1
}

# Prints a Python of 3.11 or newer. Asks each whether it runs: a version manager leaves names that don't.
find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3; do
        if "$name" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

require_python() {
    local found
    BASE_PYTHON=$(find_python) || {
        if found=$(python3 -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); then
            fail "moviesms needs Python 3.11 or newer, and python3 here is $found. Install one beside it:
  $(apt_install python3.11 python3.11-venv)
(Debian 12, Ubuntu 22.04 and newer have it.)"
        fi
        fail "moviesms needs Python 3.11 or newer, and there is none here. Install it:
  $(apt_install python3 python3-venv)"
    }
    local version
    version=$("$BASE_PYTHON" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$BASE_PYTHON" -I -c 'import ensurepip, venv' 2>/dev/null ||
        fail "Python $version here lacks the package that makes virtual environments. Install it:
  $(apt_install "python$version-venv")"
}

# Where the stamps of this environment's Python are; another Python (a system upgrade) has none.
stamps() {
    local version
    version=$("$PYTHON" -I -S -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || return
    [ -d "$VENV/lib/python$version/site-packages" ] && echo "$VENV/lib/python$version/.moviesms"
}

# The stamp of an installed requirements file is a copy of it, written last: what differs, or was
# interrupted, is installed again.
installed() {
    local stamps file
    stamps=$(stamps) || return
    for file in "$@"; do
        cmp -s "$ROOT/$file" "$stamps/$file" || return
    done
}

make_venv() {
    [ -n "$(stamps)" ] && "$PYTHON" -m pip --version >/dev/null 2>&1 && return
    require_python
    echo "Making the virtual environment with $BASE_PYTHON."
    "$BASE_PYTHON" -m venv --clear "$VENV" ||
        fail "The virtual environment could not be made in $VENV."
}

# Shows pip's lines as they come, shortened, with the seconds since the start; the whole goes to a file.
show_progress() {
    local line last="starting" terminal= told=0 code
    [ -t 1 ] && terminal=1
    SECONDS=0
    while :; do
        IFS= read -r -t 1 line
        code=$?
        if [ $code -eq 0 ]; then
            printf '%s\n' "$line" >>"$1"
            case $line in
                "Collecting "*) last="fetching ${line#Collecting }" ;;
                "Installing collected packages"*) last="installing them all" ;;
                "Successfully installed"*) last="installed" ;;
                *Retrying*) last="the package index does not answer; trying again" ;;
                *) continue ;;
            esac
            last=${last%% (from *}
            [ -n "$terminal" ] || printf '  %3d s  %s\n' "$SECONDS" "$last"
            told=$SECONDS
        elif [ $code -le 128 ]; then
            break
        elif [ -z "$terminal" ] && [ $((SECONDS - told)) -ge 10 ]; then
            printf '  %3d s  still %s\n' "$SECONDS" "$last"
            told=$SECONDS
        fi
        [ -z "$terminal" ] || printf '\r\033[K  %3d s  %.60s' "$SECONDS" "$last"
    done
    [ -z "$terminal" ] || printf '\r\033[K'
    printf '  %3d s  pip has ended\n' "$SECONDS"
}

explain_pip() {
    if grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|Failed to establish|Connection refused|SSLError' "$1"; then
        fail "pip could not reach the package index. Check this machine's network (and PIP_INDEX_URL or HTTPS_PROXY if you need them), then run this again."
    fi
    grep -vE '^(Collecting|Requirement already|  |Using cached|Downloading)' "$1" | tail -n 15 >&2
    fail "The packages could not be installed; pip's own words are above and in $1."
}

install_requirements() {
    local file=$1 log=$VENV/install.log stamps part
    shift
    stamps=$(stamps)
    mkdir -p "$stamps"
    for part in "$@"; do rm -f "$stamps/$part"; done
    : >"$log"
    echo "Installing the packages of $file (the first time takes a minute or two)."
    "$PYTHON" -m pip install --no-input --disable-pip-version-check --progress-bar off \
        --retries 3 --timeout 20 -r "$ROOT/$file" 2>&1 9<&- | show_progress "$log"
    [ "${PIPESTATUS[0]}" -eq 0 ] || explain_pip "$log"
    for part in "$@"; do cp "$ROOT/$part" "$stamps/$part"; done
}

# ensure_environment requirements.txt | requirements-dev.txt
ensure_environment() {
    local file=$1 parts=("$1")
    [ "$file" = requirements.txt ] || parts=(requirements.txt "$file")
    installed "${parts[@]}" && return
    # Two of us at once would spoil each other's environment.
    exec 9<"$ROOT/$file"
    if command -v flock >/dev/null && ! flock -n 9; then
        echo "Waiting for another installation here to end."
        flock 9
    fi
    if ! installed "${parts[@]}"; then
        make_venv
        install_requirements "$file" "${parts[@]}"
    fi
    exec 9<&-
}

find_chromium() {
    local name
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}
