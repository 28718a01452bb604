#!/usr/bin/env bash
# 30 ordinary containers for ten minutes, and what is told of them: `make soak`. SOAK: for how long; IMAGES: where soak.tar is kept.
set -euo pipefail
cd "$(dirname "$0")/.."
images=${IMAGES:-${TMPDIR:-/tmp}/bulwark-images}
export SOAK=${SOAK:-10m} SOAK_IMAGE=$images/soak.tar
if [[ ! -f $SOAK_IMAGE ]]; then
  new=$images/soak.new.tar # its name says the format
  mkdir -p "$images"
  mmdebstrap --quiet --variant=minbase --aptopt='Apt::Install-Recommends "false"' \
    --include=nginx-light,redis-server,postgresql,mariadb-server,memcached,apache2,haproxy,cron,logrotate,python3,procps,curl,adduser,util-linux \
    --customize-hook='mkdir -p "$1/srv/debs" && chroot "$1" sh -c "cd /srv/debs && apt-get download hello tree bc"' bookworm "$new"
  mv "$new" "$SOAK_IMAGE"
fi
go test -count=1 -timeout 60m -v -run TestSoak ./test/soak
