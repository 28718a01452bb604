#!/usr/bin/env bash
# Lists the packages in which something can race: those that start goroutines, and those whose tests do.
set -euo pipefail
cd "$(dirname "$0")/.."
git grep -lE '^\s+go [a-z]+[A-Za-z.]*\(|\.Go\(|t\.Parallel\(' -- '*.go' ':!test' | xargs -n1 dirname | sort -u | sed 's|^|./|'
