#!/usr/bin/env bash
# Builds Kubernetes' own kube-apiserver for the tests that ask one, once: the file is kept by
# version in a cache folder, and its path is printed. A cold build takes 4 to 8 minutes of a
# processor and 3 GB of memory; later calls take no time.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
module=$here/test/apiserver/server
version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$module/go.mod")
mark=$(cat "$module"/go.mod "$module"/go.sum "$module"/*.go | sha256sum | cut -c1-12)
cache=${BULWARK_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bulwark-test}
file=$cache/kube-apiserver-$version-$mark

mkdir -p "$cache"
exec 9>"$cache/kube-apiserver.lock"
flock 9 # several test programs may want it at once
if [[ ! -x $file ]]; then
  if [[ ${BULWARK_APISERVER_BUILD:-} == no ]]; then
    echo "apiserver.sh: kube-apiserver $version is not built yet" >&2
    exit 1
  fi
  echo "apiserver.sh: building kube-apiserver $version, which takes some minutes" >&2
  minor=${version#v1.}
  set=k8s.io/component-base/version
  cd "$module"
  CGO_ENABLED=0 nice go build -p "${BUILD_JOBS:-2}" -trimpath -o "$file.part" \
    -ldflags "-s -w -X $set.gitVersion=$version -X $set.gitMajor=1 -X $set.gitMinor=${minor%%.*}" . >&2
  mv "$file.part" "$file"
fi
echo "$file"
