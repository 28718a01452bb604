#!/usr/bin/env bash
# Measures what docs/benchmarks.md tells: `make bench`. IMAGES: a folder with big.oci and big.tar; RUNS: how often.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=${SHARED:-../shared} images=${IMAGES:-${TMPDIR:-/tmp}/bulwark-images}
if [[ ! -d $shared/data/osv ]]; then
  echo "bench: no advisory data at $shared/data; set SHARED to a folder that has data/osv, data/kev.json, data/eol.json and data/epss*.csv.gz" >&2
  exit 1
fi
if [[ ! -d $images/big.oci || ! -s $images/big.tar ]]; then
  "$shared/tools/make-images.sh" big "$images"
fi
mkdir -p bin
go build -o bin/bench ./test/bench
bin/bench -images "$images" -data "$shared/data" -bulwark bin/bulwark -n "${RUNS:-5}"
