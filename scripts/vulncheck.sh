#!/usr/bin/env bash
# Runs govulncheck, and says so when its data cannot be reached from here.
set -uo pipefail
out=$(go run "$1" ./... 2>&1)
code=$?
if [[ $code -ne 0 ]] && grep -qE 'fetching vulnerabilities|dial tcp|no such host|i/o timeout|Forbidden' <<<"$out"; then
  echo "govulncheck: its data cannot be reached from here; known vulnerabilities of dependencies are not checked" >&2
  exit 0
fi
echo "$out"
exit $code
