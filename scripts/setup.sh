#!/usr/bin/env bash
# Installs what tests, demo or benchmarks need and this machine lacks, from Debian's packages.
# usage: setup.sh test|demo|bench|soak|arm64
set -euo pipefail

need() { # command package: install the package when the command is missing
  command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}

missing=()
case ${1:?test, demo, bench, soak or arm64} in
  demo) ;;
  test)
    need gcc gcc                        # the race detector links with it, and programs like Rust's
    [[ -e /usr/include/stdlib.h ]] || missing+=(libc6-dev) # gcc only recommends it
    need docker-registry docker-registry # a real registry
    need rpm rpm                        # real rpm databases
    need db5.3_load db5.3-util          # real Berkeley DB files
    need sqlite3 sqlite3                # real SQLite files
    need dpkg-deb dpkg
    need python3 python3
    need chromium chromium              # a real browser reads the html report
    need yara yara                      # the oracle of the YARA engine
    need patch patch                    # patches of findings are applied with it
    need git git                        # and with this
    need podman podman                  # real engines
    need dockerd docker.io
    need runc runc
    need losetup mount                  # devices of the node that containers are given
    need mkfs.ext4 e2fsprogs
    need etcd etcd-server               # below a real kube-apiserver
    need qemu-system-x86_64 qemu-system-x86 # other kernels
    need nft nftables                   # real packets through real rules
    need ip iproute2
    need apparmor_parser apparmor       # reads the profiles that are exported
    need busybox busybox-static         # the root file system of the containers that are watched
    ;;
  bench) need mmdebstrap mmdebstrap; need runc runc; need nginx nginx-light; need wrk wrk; need npm npm; need python3 python3 ;;
  soak) need dockerd docker.io; need ip iproute2; need busybox busybox-static; need mmdebstrap mmdebstrap ;;
  arm64) need qemu-system-aarch64 qemu-system-arm ;;
  *) echo "setup.sh: say test, demo, bench, soak or arm64" >&2; exit 2 ;;
esac
[[ ${#missing[@]} -eq 0 ]] && exit 0

if ! command -v apt-get >/dev/null 2>&1 || [[ $(id -u) -ne 0 ]]; then
  echo "setup.sh: missing: ${missing[*]}; install them to run every test (needs root and apt-get to do it here)" >&2
  exit 0
fi
echo "setup.sh: installing ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Services that come with packages are not started: tests run their own.
printf '#!/bin/sh\nexit 101\n' > /tmp/policy-rc.d.$$
if [[ ! -e /usr/sbin/policy-rc.d ]]; then
  install -m 755 /tmp/policy-rc.d.$$ /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
rm -f /tmp/policy-rc.d.$$
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
