#!/usr/bin/env bash
# One table: choices with their updates and exact propensities, ours beside the peers'.
#
#   bash benches/bandits.sh
#
#   QUICK=1            short runs: to see that it works, not to be quoted
#   PEERS=<folder>     where the peers' environments lie or are made; target/peers by default
#   PEERS=none         without peers
#   ENVIRONMENTS="bandits bandits-obp310 bandits-smpy"   which of them; `bandits` by default
#
# Peers come from PyPI through pip, pinned by ../shared/peers/bandits, each environment in a venv of
# its own that is made once; the Rust peers are built from crates.io. What cannot be made here is
# named in the table, and everything else is still measured. Needs cargo, python3.11 (and 3.10 for
# `bandits-obp310`), on the path or with pyenv, and a network for the first run.
#
# All are CPU times: ours are criterion's samples of it, the peers' are their own scripts'. The least is
# shown beside the median, because on a shared machine the median measures the neighbours' caches too.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts=../shared/peers/bandits
target=${CARGO_TARGET_DIR:-target}
peers=${PEERS:-$target/peers}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
say() { echo "bandits.sh: $*" >&2; }

# The first core that this shell may use, so that a step is not moved about.
pin=()
if command -v taskset >/dev/null; then
    core=$(taskset -cp $$ | sed 's/.*: *//; s/[-,].*//')
    pin=(taskset -c "$core")
fi
criterion=()
python_args=()
if [ -n "${QUICK:-}" ]; then
    criterion=(--warm-up-time 0.2 --measurement-time 0.5 --sample-size 10)
    python_args=(--budget 0.05 --reps 2)
fi

say "ours"
# Built first, on all cores.
cargo bench --locked --no-run -p gaelp-benches --bench bandits --bench contextual \
    >"$out/build.log" 2>&1 || { cat "$out/build.log" >&2; exit 1; }
touch "$out/start"
run() {
    "${pin[@]}" cargo bench --locked -p gaelp-benches --bench "$1" -- "$2" "${criterion[@]}" \
        >"$out/ours.log" 2>&1 || { cat "$out/ours.log" >&2; exit 1; }
}
run bandits step/
run contextual contextual/

missing() { echo "$1" >>"$out/missing.txt"; }

. benches/peers.sh

script() {
    say "$1: $2 $3"
    (cd "$scripts" && PYTHONDONTWRITEBYTECODE=1 "${pin[@]}" "$peers/$1/bin/python" "$2" \
        --only "$3" "${python_args[@]}") >>"$out/peers.jsonl" 2>>"$out/python.log" ||
        missing "$1, $2: $(tail -n 1 "$out/python.log")"
}

if [ "$peers" = none ]; then
    missing "peers: not asked for"
elif [ ! -d "$scripts" ]; then
    missing "peers: no $scripts"
else
    mkdir -p "$peers"
    peers=$(realpath "$peers")
    for name in ${ENVIRONMENTS:-bandits}; do
        case $name in
        bandits)
            environment bandits python3.11 requirements.txt || continue
            free=numpy-loop,mabwiser,river,bayesianbandits,vw-bag5,vw-squarecb
            context="numpy-loop,mabwiser,contextualbandits,river,bayesianbandits,vw"
            ;;
        bandits-obp310)
            environment bandits-obp310 python3.10 requirements-obp.txt obp==0.5.7 || continue
            free=obp context=obp
            ;;
        bandits-smpy)
            environment bandits-smpy python3.11 requirements-smpybandits.txt || continue
            free=smpybandits context=
            ;;
        *)
            missing "$name: not an environment"
            continue
            ;;
        esac
        script "$name" bench_context_free.py "$free"
        [ -n "$context" ] && script "$name" bench_contextual.py "$context"
    done
    # Cargo writes a lock beside the manifest, and the folder may be read-only.
    say "the Rust peers"
    cp -r "$scripts/rust" "$out/rust"
    (cd "$out/rust" && CARGO_TARGET_DIR="$peers/rust" cargo build --release --quiet &&
        "${pin[@]}" timeout "${RUST_PEERS_SECONDS:-900}" "$peers/rust/release/banditpeers") \
        >"$out/rust.txt" 2>"$out/rust.log" || missing "Rust peers: $(tail -n 1 "$out/rust.log")"
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
for policy in ("linucb", "lints"):
    TARGETS |= {f"contextual/{policy}/{size}": target for size, target in
                (("d16k10", 1.0), ("d16k100", 7.5), ("d64k10", 7.1), ("d64k100", 46.0))}
UNITS = {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}


def microseconds(text):
    number, unit = text.split()
    return float(number) * UNITS[unit]


rows = []
for sample in sorted(ours.glob("**/new/sample.json")):
    if sample.stat().st_mtime < (out / "start").stat().st_mtime:
        continue  # Of an earlier run.
    about = json.loads((sample.parent / "benchmark.json").read_text())
    name = about["full_id"]
    if not name.startswith(("step/", "contextual/")):
        continue
    data = json.loads(sample.read_text())
    # One iteration is so many steps.
    steps = about["throughput"]["Elements"]
    each = sorted(t / i / steps / 1000 for t, i in zip(data["times"], data["iters"]))
    target = TARGETS.get(name)
    if target is None:
        verdict = ""
    elif each[0] <= target:
        verdict = f"{target} (met)"
    else:
        verdict = f"{target} (missed by {100 * (each[0] / target - 1):.0f} %)"
    rows.append((name, "gaelp", each[0], each[len(each) // 2], verdict))

for line in (out / "peers.jsonl").read_text().splitlines() if (out / "peers.jsonl").exists() else []:
    if line.startswith("{"):
        row = json.loads(line)
        least, median = (microseconds(row[key]) for key in ("cpu_min", "cpu_median"))
        rows.append((row["case"], row["peer"], least, median, ""))
rust = (out / "rust.txt").read_text() if (out / "rust.txt").exists() else ""
for line in rust.splitlines():
    found = re.match(r"((?:ctxfree|contextual) .*?\S)\s{2,}(\S.*?)\s+median\s+([\d.]+) us\s+min\s+([\d.]+)", line)
    if found:
        case, peer, median, least = found.groups()
        rows.append((case, f"{peer} (Rust)", float(least), float(median), ""))


def order(row):
    """Cases of one size together, ours first."""
    name = row[0]
    d = re.search(r"d=?(\d+)", name)
    k = re.search(r"[kK]=?(\d+)", name)
    return (name.startswith("contextual"), int(d[1]) if d else 0, int(k[1]) if k else 0,
            row[1] != "gaelp", row[2])


print("| case | who | least, us | median, us | target, us |")
print("|---|---|---:|---:|---:|")
for name, who, least, median, verdict in sorted(rows, key=order):
    print(f"| {name} | {who} | {least:.3f} | {median:.3f} | {verdict} |")
missing = out / "missing.txt"
for line in missing.read_text().splitlines() if missing.exists() else []:
    print(f"\nnot measured: {line}")
PYTHON
