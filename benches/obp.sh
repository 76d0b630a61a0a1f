#!/usr/bin/env bash
# The Open Bandit sample: fetches the Python package `obp`, which holds it, and prints where it lies.
#
#   GAELP_OBP=$(bash benches/obp.sh) cargo test -p gaelp-bandits --test open_bandit
#
# The package's source archive comes from PyPI through pip, is checked against its digest, and is
# unpacked into target/obp; it is never installed. A second run finds it there.
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.5.7
digest=3060d67fedfcfadf1e7a6f2608987f74412b5eb74d2c567edeb147595c68f2a0
folder=${CARGO_TARGET_DIR:-target}/obp
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
sample=$folder/obp-$version/obp

if [ ! -f "$folder/complete" ]; then
    # pip checks the digest before it looks into the archive. The package's own demand for an old
    # Python does not matter to its data.
    echo "obp==$version --hash=sha256:$digest" >"$folder/requirements.txt"
    python3 -m pip download --quiet --no-deps --no-binary obp --ignore-requires-python \
        --require-hashes -r "$folder/requirements.txt" --dest "$folder" >&2
    tar -xzf "$folder/obp-$version.tar.gz" -C "$folder" \
        "obp-$version/obp/dataset/obd" "obp-$version/obp/policy/conf/prior_bts.yaml"
    touch "$folder/complete"
fi
echo "$sample"
