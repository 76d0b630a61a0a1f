#!/usr/bin/env bash
# Sharing a budget out: gaelp beside other solvers and the machine's limit, in one table.
#
#   bash benches/budget.sh
#
#   PEERS=<folder>     where the peers' environment lies or is made; target/peers by default
#   PEERS=none         without peers
#   ALL=1              the peers at 1e5 and 1e6 arms too: some quarter of an hour
#
# The peers come from PyPI through pip, pinned by ../shared/peers/budget, into a venv that is made once.
# All are CPU times of one thread. The limit is the same water level in scalar Rust without anything
# around it (limit_ref.rs), built and run here. Where the peers cannot be had here, and for the sizes
# that are not run, those figures are shown that their scripts recorded on another machine; the limit's
# lines say how the two compare.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts=$(cd ../shared/peers/budget && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
pin=""
command -v taskset >/dev/null && pin="taskset -c ${CPU:-1}"

cargo bench --locked --quiet -p gaelp-benches --bench budget --no-run
$pin cargo bench --locked --quiet -p gaelp-benches --bench budget -- --table >"$out/ours"

rustc -O -C target-cpu=native -o "$out/limit" "$scripts/limit_ref.rs" 2>"$out/limit.log" ||
    { cat "$out/limit.log"; exit 1; }
$pin "$out/limit" >"$out/limit.csv"

peers=${PEERS:-${CARGO_TARGET_DIR:-target}/peers}
missing() { echo "budget.sh: $1" >&2; }
. benches/peers.sh
mkdir "$out/peers"
[ "$peers" = none ] || { mkdir -p "$peers" && peers=$(realpath "$peers"); }
here=""
if environment budget python3.11 requirements.txt; then
    here="small k1 ${ALL:+k100 m1}"
fi
for size in small k1 k10 k100 m1; do
    case " $here " in
    *" $size "*)
        echo "budget.sh: the peers, $size" >&2
        (cd "$scripts" && OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1 \
            $pin "$peers/budget/bin/python" bench_alloc.py "$size") >"$out/peers/here_$size.csv" ||
            missing "bench_alloc.py $size ended early"
        ;;
    *)
        [ ! -f "$scripts/results/alloc_$size.csv" ] ||
            cp "$scripts/results/alloc_$size.csv" "$out/peers/recorded_$size.csv"
        ;;
    esac
done

python3 - "$out" "$scripts/results" <<'PYTHON'
import csv
import pathlib
import re
import sys

out, results = map(pathlib.Path, sys.argv[1:3])
TARGETS = {24: 2e-6, 1000: 25e-6, 100_000: 2.5e-3, 1_000_000: 30e-3}


def shown(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


rows = []
for line in (out / "ours").read_text().splitlines():
    kind, n, least, median = line.split()
    n, least, median = int(n), float(least), float(median)
    title = {"level": "gaelp: level and spend", "prepare": "gaelp: preparing, once",
             "plan": "gaelp: whole plan in cents, with its proof"}[kind]
    verdict = ""
    if kind == "level":
        target = TARGETS[n]
        verdict = f"{shown(target)} " + ("met" if least <= target else
                                         f"missed by {100 * (least / target - 1):.0f} %")
    rows.append((n, 0 if kind == "level" else 1, title, least, median, "", verdict))
for path, label in ((out / "limit.csv", "limit (scalar Rust), here"),
                    (results / "limit_ref.csv", "limit (scalar Rust), recorded")):
    for line in path.read_text().splitlines():
        found = re.match(r"(\d+),median_cpu_s=([\d.e+-]+),min_cpu_s=([\d.e+-]+)", line)
        if found:
            rows.append((int(found[1]), 2, label, float(found[3]), float(found[2]), "", ""))
for path in sorted((out / "peers").glob("*.csv")):
    where = path.name.split("_")[0]
    for row in csv.reader(path.read_text().splitlines()):
        if len(row) > 6 and row[1].isdigit() and row[2]:
            rows.append((int(row[1]), 3, f"{row[0]}, {where}", float(row[3]), float(row[2]), row[6], ""))
print("| arms | who | least | median | gap | target |")
print("|---:|---|---:|---:|---:|---|")
for n, rank, who, least, median, gap, verdict in sorted(rows, key=lambda r: (r[0], r[1], r[4])):
    print(f"| {n} | {who} | {shown(least)} | {shown(median)} | {gap} | {verdict} |")
PYTHON
