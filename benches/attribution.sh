#!/usr/bin/env bash
# Attribution: gaelp beside other packages and the machine's limit, in one run and one table.
#
#   bash benches/attribution.sh                      # peers' scripts in ../shared/peers/attribution
#   bash benches/attribution.sh path/to/their/scripts
#   QUICK=1 bash benches/attribution.sh              # small sizes, to see that it works; figures mean nothing
#
# Nothing is asked. The peers are installed with pip into a virtual environment in PEERS (default
# ~/.cache/gaelp-peers), the sets of a million journeys are made there once, and everything runs in the
# same minutes. Where the peers cannot be installed, or with NO_PEERS=1, their recorded figures are
# shown, which another machine made: the lines of the machine's limit, made by limit.c on both, say how
# the two compare. CASES chooses among our batch cases, as in CASES=markov; CPU the processor.
#
# Figures are processor time of one thread, medians; but those of SQLite, which waits for the disk
# (TMPDIR chooses it), are the wall's.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$(cd "${1:-../shared/peers/attribution}" && pwd)
cache=${PEERS:-$HOME/.cache/gaelp-peers}
quick=${QUICK:+1}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
pin=""
command -v taskset >/dev/null && pin="taskset -c ${CPU:-1}"
say() { echo "$(date +%T) $*" >&2; }

say "building"
cargo bench --locked --quiet -p gaelp-benches --bench attribution --bench delayed --no-run
say "ours: a million journeys"
export GAELP_JOURNEYS=${quick:+20000}
$pin cargo bench --locked --quiet -p gaelp-benches --bench attribution -- --table "${CASES:-}" >"$out/ours"
unset GAELP_JOURNEYS
say "ours: delayed rewards, 10 million resident"
GAELP_MOST=${quick:+50000} $pin cargo bench --locked --quiet -p gaelp-benches --bench delayed >"$out/delayed"
say "ours: delayed rewards, 30 million resident"
touches=${quick:+100000}
{ time GAELP_TOUCHES=${touches:-30000000} $pin cargo bench --locked --quiet -p gaelp-benches --bench delayed; } \
    >"$out/thirty" 2>"$out/thirty.time"

: >"$out/limit"
if command -v gcc >/dev/null && [ -z "$quick" ]; then
    say "the machine's limit"
    gcc -O3 -march=native -o "$out/limit.bin" "$peers/limit.c"
    ($pin timeout 600 "$out/limit.bin" || true) >"$out/limit" || true
fi

where="recorded on another machine"
cp "$peers/results.jsonl" "$out/peers"
peer_setup() {
    [ -x "$cache/attribution/bin/python" ] || python3 -m venv "$cache/attribution"
    "$cache/attribution/bin/python" -c 'import ChannelAttribution, polars, duckdb' 2>/dev/null ||
        "$cache/attribution/bin/pip" install --quiet --no-input --disable-pip-version-check \
            -r "$peers/requirements.txt"
    export ATTR_DATA=${ATTR_DATA:-$cache/attr_data}
    mkdir -p "$ATTR_DATA"
    sets=("10 42" "50 43")
    [ -n "$quick" ] && sets=("10 42")
    for set in "${sets[@]}"; do
        [ -f "$ATTR_DATA/synth_1000000_${set% *}.npz" ] ||
            "$cache/attribution/bin/python" "$peers/gen_data.py" 1000000 $set "$ATTR_DATA"
    done
}
if [ -z "${NO_PEERS:-}" ]; then
    say "peers: packages and sets, in $cache"
    if (peer_setup) >"$out/setup" 2>&1; then
        where="here and now"
        export ATTR_DATA=${ATTR_DATA:-$cache/attr_data}
        PATH="$cache/attribution/bin:$PATH"
        # What the grid below and their own scripts need, without what takes more than minutes.
        filter='^(ca_heur|pl_linear|pl_heur3|duck_linear|py_linear|np_linear|ca_markov[123]|exact_markov[123]|exact_shapley_set|dp6_markov|dp6_linear|dp6_position) s(10|50)$'
        [ -n "$quick" ] && filter='^(pl_linear|duck_linear) s10$'
        say "peers: running"
        : >"$out/peers"
        # The driver appends to what it is given, and names what did not end in time. Its status says only
        # whether the filter took its last case.
        bash "$peers/run_all.sh" "$out/peers" "$filter" "${LIMIT:-300}" || true
        if [ -z "$quick" ]; then
            for case in "naive 1000000 1" "lean 1000000 3" "sqlite 3000 3"; do
                $pin timeout 900 python "$peers/bench_delayed.py" $case 2>/dev/null | grep '^{' >>"$out/peers" || true
            done
        fi
    else
        say "peers could not be installed: $(tail -1 "$out/setup")"
    fi
fi

python3 benches/attribution.py "$out" "$where"
