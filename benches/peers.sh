# The peers' environments: sourced by the scripts beside it, which give `peers`, the folder or `none`,
# `scripts`, the folder of the peers' own scripts, and `missing`, which notes what cannot be made.

# The interpreter of a version: from PATH, or where pyenv keeps those that it does not offer there.
interpreter() {
    if "$1" -c '' 2>/dev/null; then
        command -v "$1"
        return
    fi
    local found
    found=$(compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/${1#python}.*/bin/$1" | tail -n 1)
    [ -n "$found" ] && echo "$found"
}

# environment <name> <python> <requirements> [<package to be installed without what it asks for>]
#
# A venv of its own in `peers`, made once: complete once its mark is there.
environment() {
    local folder=$peers/$1 python log
    [ "$peers" = none ] && return 1
    [ -e "$folder/complete" ] && return 0
    python=$(interpreter "$2") || { missing "$1: no $2"; return 1; }
    echo "${0##*/}: making $folder" >&2
    log=$(mktemp)
    if rm -rf "$folder" && "$python" -m venv "$folder" && "$folder/bin/pip" install --quiet --no-input \
        --disable-pip-version-check -r "$scripts/$3" &&
        { [ -z "${4:-}" ] || "$folder/bin/pip" install --quiet --no-input --no-deps "$4"; }; then
        touch "$folder/complete"
    else
        missing "$1: $(tail -n 1 "$log")"
        return 1
    fi >"$log" 2>&1
}
