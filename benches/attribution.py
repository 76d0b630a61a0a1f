"""Prints the table of attribution.sh from what was measured."""
import json
import re
import sys

out, where = sys.argv[1:]


def rows(name):
    for line in open(f"{out}/{name}"):
        if line.startswith("{"):
            yield json.loads(line)


ours = {name: float(median) for name, median, _ in (line.split() for line in open(f"{out}/ours"))}
peer = {row["name"]: row for row in rows("peers")}
limit = {row["name"]: row for row in rows("limit")}

# What ours answers, what theirs answer, what bounds both.
CASES = [
    ("check", "columns checked", [], None),
    ("linear", "linear, from arrays", ["np_linear"], "csr_linear_exact_1M_6pct_converting"),
    ("position", "position-based, from arrays", ["dp6_position"], None),
    ("decay", "time decay, from arrays", [], None),
    ("linear_all", "linear, all converting", [], "csr_linear_exact_1M_all_converting"),
    ("position_all", "position-based, all converting", [], None),
    ("decay_all", "time decay, all converting", [], None),
    ("linear_text", "linear, from path texts", ["pl_linear", "duck_linear", "py_linear", "ca_heur"], None),
    ("markov1", "Markov 1, all removal effects", ["ca_markov1", "dp6_markov", "exact_markov1"], "markov1_1M_{}ch"),
    ("markov2", "Markov 2", ["ca_markov2", "exact_markov2"], None),
    ("markov3", "Markov 3", ["ca_markov3", "exact_markov3"], None),
    ("markov4", "Markov 4", [], None),
    ("shapley_set", "Shapley, set value", ["exact_shapley_set", "dp6_shapley"], None),
    ("leave_one_out", "leave-one-out", [], None),
    ("hazard", "hazard, two half-lives", [], None),
]
print(f"A million journeys: CPU milliseconds, one thread, median; peers {where}")
print(f"{'case':34}{'set':>4}{'gaelp':>10}{'limit (C)':>11}  peers")
for name, title, others, bound in CASES:
    for channels in (10, 50):
        mine = ours.get(f"{name}/{channels}")
        if mine is None:
            continue
        least = limit.get(bound.format(channels), {}) if bound else {}
        least = least.get("cpu_s", least.get("count_cpu_s"))
        found = []
        for other in others:
            row = peer.get(f"{other}/s{channels}", {})
            if row.get("cpu_median_s"):
                found.append(f"{other} {1e3 * row['cpu_median_s']:,.0f}")
            elif "failed" in row:
                found.append(f"{other} {row['failed']}")
        text = ", ".join(found)
        least = "" if least is None else f"{1e3 * least:.1f}"
        print(f"{title:34}{'s' + str(channels):>4}{mine:>10.1f}{least:>11}  {text}")

print(f"\nDelayed rewards, one thread (SQLite: the wall's clock); peers {where}")
LINE = re.compile(r"^(delayed/.*\S)\s+([\d.]+) (M/s|k/s|bytes|MB)\b(.*)$")
for file in ("delayed", "thirty"):
    for line in open(f"{out}/{file}"):
        found = LINE.match(line.rstrip())
        if found:
            name, value, unit, rest = found.groups()
            print(f"{name:48}{value:>10} {unit:6}{rest.strip()}")
for line in open(f"{out}/thirty.time"):
    if line.startswith(("real", "user")):
        print(f"the last process, from its start to its end: {line.strip()}")
for name, row in sorted(peer.items()):
    if name.startswith("delayed") and row.get("per_s"):
        memory = row.get("rss_added_mb", 0)
        print(f"{'peer: ' + name:48}{row['per_s']:>10,.0f} {row['unit']}/s, {memory:,.0f} MB added")
for name, row in limit.items():
    if "store" in name or "ring" in name or "delayed" in name:
        print(f"limit (C): {json.dumps(row)}")
