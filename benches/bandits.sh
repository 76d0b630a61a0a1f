#!/usr/bin/env bash
# One table: a Thompson choice with its update, and an exact propensity, ours beside the peers'.
#
#   bash benches/bandits.sh
#   PEERS=~/.cache/gaelp-peers bash benches/bandits.sh   # Python environments, see
#                                                        # ../shared/peers/bandits/README.md
#   RUST_PEERS=1 bash benches/bandits.sh                 # builds the Rust peers from crates.io
#
# Ours are criterion's samples; their least is shown beside the median, because on a shared machine
# the median measures the neighbours too. The peers' figures are their own scripts' CPU times.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts=../shared/peers/bandits
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
target=${CARGO_TARGET_DIR:-target}

cargo bench --locked -p gaelp-benches --bench bandits -- step/ >"$out/ours.log" 2>&1 ||
    { cat "$out/ours.log"; exit 1; }

for environment in bandits bandits-obp310 bandits-smpy; do
    python=${PEERS:-}/$environment/bin/python
    if [ -x "$python" ]; then
        (cd "$scripts" && "$python" bench_context_free.py) >>"$out/peers.jsonl" || true
    fi
done
if [ -n "${RUST_PEERS:-}" ]; then
    (cd "$scripts/rust" && CARGO_TARGET_DIR="$out/rust" cargo run --release) |
        grep ctxfree >"$out/rust.txt" || true
fi

python3 - "$target/criterion" "$out" <<'PYTHON'
import json
import pathlib
import re
import sys

ours, out = map(pathlib.Path, sys.argv[1:])
TARGETS = {"step/thompson/k4": 0.25, "step/thompson/k1000": 25.0,
           "step/tracked-propensity/k10": 5.0, "step/tracked-propensity/k100": 5.0,
           "step/tracked-propensity/k1000": 5.0}
print("| case | who | least, us | median, us | target, us |")
print("|---|---|---:|---:|---:|")
for sample in sorted(ours.glob("**/new/sample.json")):
    name = json.loads((sample.parent / "benchmark.json").read_text())["full_id"]
    if not name.startswith("step/"):
        continue
    data = json.loads(sample.read_text())
    each = sorted(t / i / 1000 for t, i in zip(data["times"], data["iters"]))
    target = TARGETS.get(name)
    verdict = "" if target is None else f"{target} ({'met' if each[0] <= target else 'missed by %.0f %%' % (100 * (each[0] / target - 1))})"
    print(f"| {name} | gaelp | {each[0]:.3f} | {each[len(each) // 2]:.3f} | {verdict} |")
peers = out / "peers.jsonl"
if peers.exists():
    for line in peers.read_text().splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            print(f"| {row['case']} | {row['peer']} | {row['cpu_min']} | {row['cpu_median']} | |")
else:
    print("| ctxfree | Python peers | not installed | | |")
rust = out / "rust.txt"
if rust.exists():
    for line in rust.read_text().splitlines():
        found = re.match(r"(ctxfree \S+)\s+(.*?)\s+median\s+([\d.]+) us\s+min\s+([\d.]+)", line)
        if found:
            case, peer, median, least = found.groups()
            print(f"| {case} | {peer} | {least} | {median} | |")
else:
    print("| ctxfree | Rust peers | not built | | |")
PYTHON
