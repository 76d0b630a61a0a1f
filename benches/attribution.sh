#!/usr/bin/env bash
# A million journeys: gaelp beside other packages and the machine's limit, in one table of CPU time.
#
#   bash benches/attribution.sh                      # peers' scripts in ../shared/peers/attribution
#   bash benches/attribution.sh path/to/their/scripts
#
# The peers run here, in the same minutes, where PYTHON (default python3) has them installed and
# ATTR_DATA holds the sets that their gen_data.py writes; see their README. Where it does not, their
# recorded figures are shown, which another machine made: the lines of the machine's limit, made by
# limit.c on both, say how the two compare. CASES chooses among our cases, as in CASES=markov.
set -euo pipefail
cd "$(dirname "$0")/.."
peers=$(cd "${1:-../shared/peers/attribution}" && pwd)
python=${PYTHON:-python3}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
pin=""
command -v taskset >/dev/null && pin="taskset -c ${CPU:-1}"

cargo bench --locked --quiet -p gaelp-benches --bench attribution --no-run
$pin cargo bench --locked --quiet -p gaelp-benches --bench attribution -- --table "${CASES:-}" \
    >"$out/ours"

: >"$out/limit"
if command -v gcc >/dev/null; then
    gcc -O3 -march=native -o "$out/limit.bin" "$peers/limit.c"
    # Only the first sections are of use here; the later ones measure the store of pending touches.
    ($pin timeout 120 "$out/limit.bin" || true) | grep -E 'csr_linear|markov1' >"$out/limit" || true
fi

where="recorded on another machine"
cp "$peers/results.jsonl" "$out/peers"
if [ -d "${ATTR_DATA:-}" ] && "$python" -c 'import ChannelAttribution, polars, duckdb' 2>/dev/null; then
    where="here and now"
    rm "$out/peers"
    filter='^(ca_heur|pl_linear|duck_linear|py_linear|ca_markov[123]|exact_markov[123]|exact_shapley_set|dp6_markov|dp6_linear) s(10|50)$'
    PATH="$(dirname "$(command -v "$python")"):$PATH" bash "$peers/run_all.sh" "$out/peers" "$filter" 300
fi

"$python" - "$out" "$where" <<'PY'
import json, sys
out, where = sys.argv[1:]
ours = {a: float(m) for a, m, _ in (line.split() for line in open(f"{out}/ours"))}
peer = {}
for line in open(f"{out}/peers"):
    row = json.loads(line)
    peer[row["name"]] = row.get("cpu_median_s")
limit = {}
for line in open(f"{out}/limit"):
    row = json.loads(line)
    limit[row["name"]] = 1e3 * row.get("cpu_s", row.get("count_cpu_s", 0))

# What ours answers, what theirs answer, what bounds both.
ROWS = [
    ("check", "columns checked", [], None),
    ("linear", "linear, from arrays", ["np_linear"], "csr_linear_exact_1M_6pct_converting"),
    ("position", "position-based, from arrays", ["dp6_position"], None),
    ("decay", "time decay, from arrays", [], None),
    ("linear_all", "linear, all converting", [], "csr_linear_exact_1M_all_converting"),
    ("linear_text", "linear, from path texts", ["pl_linear", "duck_linear", "py_linear", "ca_heur"], None),
    ("markov1", "Markov 1, all removal effects", ["ca_markov1", "dp6_markov", "exact_markov1"], "markov1_1M_{}ch"),
    ("markov2", "Markov 2", ["ca_markov2", "exact_markov2"], None),
    ("markov3", "Markov 3", ["ca_markov3", "exact_markov3"], None),
    ("markov4", "Markov 4", [], None),
    ("shapley_set", "Shapley, set value", ["exact_shapley_set", "dp6_shapley"], None),
    ("leave_one_out", "leave-one-out", [], None),
    ("hazard", "hazard, two half-lives", [], None),
]
print(f"CPU milliseconds, one thread, median; peers {where}")
print(f"{'case':34}{'set':>4}{'gaelp':>10}{'limit (C)':>11}  peers")
for name, title, others, bound in ROWS:
    for channels in (10, 50):
        mine = ours.get(f"{name}/{channels}")
        if mine is None:
            continue
        least = limit.get(bound.format(channels)) if bound else None
        found = [(o, peer.get(f"{o}/s{channels}")) for o in others]
        text = ", ".join(f"{o} {1e3 * t:,.0f}" for o, t in found if t)
        print(f"{title:34}{'s' + str(channels):>4}{mine:>10.1f}{'' if least is None else f'{least:.1f}':>11}  {text}")
PY
