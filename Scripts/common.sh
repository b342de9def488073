# Sourced by the scripts beside it: what they say, and how they get what they need.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

log() { printf '%s\n' "$*"; }
fatal() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Debian packages: installed where that is possible, else the command to run is printed.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" != 0 ]; then
        fatal "missing: ${missing[*]}; run: sudo apt-get install ${missing[*]}"
    fi
    log "installing ${missing[*]}"
    apt-get update -qq
    # RUNLEVEL keeps the packages from starting their services.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null
}

need_swift() {
    command -v swift >/dev/null ||
        fatal "the Swift 6.3 toolchain is missing; get it from https://www.swift.org/install/linux"
    local version
    version=$(swift --version 2>&1 | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)
    local major=${version% *} minor=${version#* }
    if [ "${major:-0}" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 3 ]; }; then
        fatal "Swift 6.3 or later is needed, here is ${version/ /.}; see https://www.swift.org/install/linux"
    fi
    command -v git >/dev/null || fatal "git is missing; run: apt-get install git"
}

# A Python environment of the project's own, in .venv or $environment; each list of packages is installed once.
need_python() {
    local list wanted place=${environment:-$root/.venv}
    need_packages python3 python3-venv
    wanted=$(cat "$@" | sha256sum)
    if ! grep -qxF "$wanted" "$place/made-from" 2>/dev/null; then
        log "installing Python packages into ${place##*/}"
        [ -x "$place/bin/python" ] || /usr/bin/python3 -m venv "$place"
        for list in "$@"; do
            "$place/bin/pip" install --quiet --disable-pip-version-check -r "$list" ||
                fatal "pip could not install $list into ${place##*/}; is there a way to PyPI?"
        done
        printf '%s\n' "$wanted" >>"$place/made-from"
    fi
    PATH=$place/bin:$PATH
    export PATH
}
