#!/usr/bin/env bash
# From a million exported rows to decisions in SQLite: rows per second and peak memory.
#
#   bash benches/pipeline.sh            # 100,000 rows, then 1,000,000
#   bash benches/pipeline.sh 4000000    # as many as you like
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked --quiet -p gaelp-pilot
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
for rows in "${@:-100000 1000000}"; do
    for count in $rows; do
        printf '%s rows\n' "$count"
        target/release/gaelp-pilot sample --rows "$count" --out "$out/$count" >/dev/null
        target/release/gaelp-pilot --insights "$out/$count/meta_hourly.csv" \
            --orders "$out/$count/shopify_orders.csv" --timezone America/New_York \
            --daily-cap 200 --daily-budget-target 120 --set ADSET_MIN_HOURLY=0.05 \
            --store "$out/$count/pilot.db" --report none --stats --quiet >/dev/null
    done
done
