#!/usr/bin/env bash
# The main job on a small image that is made on the spot: `make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."
out=demo-out facts=test/demo/testdata
mkdir -p "$out"
run() { printf '\n$ %s\n' "$*"; "$@"; }
export PATH="$PWD/bin:$PATH"

echo "Writing a small image: Debian 12.0 packages, an npm application, Python, Java, a Go program, a token that a later layer deletes"
go run ./test/demo "$out/image.tar"

run bulwark db build --osv "$facts/osv" --kev "$facts/kev.json" --epss "$facts/epss.csv" --eol "$facts/eol.json" -o "$out/advisories.db"
run bulwark scan "$out/image.tar" --db "$out/advisories.db" --cache-dir "$out/cache" --offline -f table -f html="$out/report.html" -f json="$out/report.json"
run bulwark sbom "$out/image.tar" --cache-dir "$out/cache" -o "$out/image.cdx.json"
echo
echo "The ways into a small cluster that runs that image, and what closes them:"
run bulwark network list "$facts/deploy"
run bulwark paths "$facts/deploy" --image-report "$out/report.json" --db "$out/advisories.db" -f text -f html="$out/paths.html"
echo
echo "And this machine's own root file system, of which the few facts of the demo know little:"
run bulwark scan host --db "$out/advisories.db" --only vulnerability,eol --offline --quiet

cat <<END

Left in $out: report.html and paths.html (open them in a browser), report.json, image.cdx.json (an SBOM).
Type next:
  bin/bulwark db update                 the real advisories, some 100 MB once, then only what changed
  bin/bulwark scan debian:12            an image of a registry
  bin/bulwark explain CVE-2021-44228 --db $out/advisories.db
  bin/bulwark scan $out/image.tar --db $out/advisories.db --fail-on critical; echo \$?
END
