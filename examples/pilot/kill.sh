#!/bin/sh
# Starts the pilot against a simulated platform process, kills it with SIGKILL at random moments two
# hundred times, and shows that the store reconciles each time and the cap held.
#
#   examples/pilot/kill.sh            200 kills
#   examples/pilot/kill.sh 1000 7     1,000 kills with seed 7
set -eu
cd "$(dirname "$0")/../.."
GAELP_KILLS="${1:-200}" GAELP_SEED="${2:-1}" \
    exec cargo test --locked --workspace --test real_kill -- --nocapture
