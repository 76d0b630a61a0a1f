#!/usr/bin/env bash
# One table: what another policy would have earned, over a million rows of ten arms, ours beside obp's
# and plain numpy's.
#
#   bash benches/evaluation.sh
#
#   PEERS=<folder>     where the environment bandits-obp310 lies or is made; target/peers by default
#   PEERS=none         without peers
#
# All figures are CPU times of one thread. Ours are criterion's samples, end to end from raw columns to
# the audited answer; the peers' are their own script's medians, for the estimate alone. They come from
# PyPI through pip, pinned by ../shared/peers/bandits, for Python 3.10, on the path or with pyenv. Where
# they cannot be had, their recorded figures are shown, which another machine made.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts=../shared/peers/bandits
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
target=${CARGO_TARGET_DIR:-target}
pin=""
command -v taskset >/dev/null && pin="taskset -c ${CPU:-1}"

cargo bench --locked --quiet -p gaelp-benches --bench evaluation --no-run
$pin cargo bench --locked -p gaelp-benches --bench evaluation -- evaluation/ >"$out/ours.log" 2>&1 ||
    { cat "$out/ours.log"; exit 1; }

peers=${PEERS:-$target/peers}
missing() { echo "evaluation.sh: $1" >&2; }
. benches/peers.sh
[ "$peers" = none ] || { mkdir -p "$peers" && peers=$(realpath "$peers"); }
where="recorded on another machine"
if environment bandits-obp310 python3.10 requirements-obp.txt obp==0.5.7; then
    where="here and now"
    (cd "$scripts" && PYTHONDONTWRITEBYTECODE=1 $pin "$peers/bandits-obp310/bin/python" bench_ope.py) \
        >"$out/peers.jsonl"
elif [ -f "$scripts/results/c_ope.txt" ]; then
    cp "$scripts/results/c_ope.txt" "$out/peers.jsonl"
fi

python3 - "$target/criterion" "$out" "$where" <<'PYTHON'
import json
import pathlib
import sys

ours, out = map(pathlib.Path, sys.argv[1:3])
TARGETS = {"evaluation/ips/n1m": 10, "evaluation/snips/n1m": 10, "evaluation/dr/n1m/k10": 60}
# What theirs are called.
SAME = {"evaluation/ips/n1m": "SYN1M IPS", "evaluation/snips/n1m": "SYN1M SNIPS",
        "evaluation/dr/n1m/k10": "SYN1M DR",
        "evaluation/bootstrap-100/ips/n1m": "SYN1M IPS CI B=100",
        "evaluation/ranks/k80/positions3": "TS propensities by Monte Carlo n_sim=100000 K=80"}
peers = {}
if (out / "peers.jsonl").exists():
    for line in (out / "peers.jsonl").read_text().splitlines():
        row = json.loads(line) if line.startswith("{") else {}
        if "cpu_median_s" in row:
            peers.setdefault(row["case"], []).append((row["peer"], row["cpu_median_s"]))
print(f"peers {sys.argv[3]}\n")
print("| case | gaelp, least ms | median ms | target, ms | peers, CPU ms |")
print("|---|---:|---:|---:|---|")
for sample in sorted(ours.glob("evaluation*/**/new/sample.json")):
    name = json.loads((sample.parent / "benchmark.json").read_text())["full_id"]
    data = json.loads(sample.read_text())
    each = sorted(t / i / 1e6 for t, i in zip(data["times"], data["iters"]))
    aim = TARGETS.get(name)
    if aim is None:
        verdict = ""
    elif each[0] <= aim:
        verdict = f"{aim} (met)"
    else:
        verdict = f"{aim} (missed by {100 * (each[0] / aim - 1):.0f} %)"
    others = ", ".join(f"{peer} {1e3 * seconds:,.1f}" for peer, seconds in peers.get(SAME.get(name), []))
    print(f"| {name} | {each[0]:.2f} | {each[len(each) // 2]:.2f} | {verdict} | {others} |")
PYTHON
