#!/usr/bin/env bash
# Puts Debian's cloud kernels, with the modules that tests need, into a cache and prints its folder.
# usage: kernels.sh; a folder for each: vmlinuz, overlay.ko
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bulwark-test/kernels
mkdir -p "$cache"
for meta in linux-image-cloud-amd64 linux-image-6.12-cloud-amd64; do
  package=$(apt-cache depends "$meta" 2>/dev/null | awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ {print $2; exit}')
  [[ -n $package ]] || { echo "kernels.sh: no kernel behind $meta in the package lists: apt-get update" >&2; continue; }
  to=$cache/${package#linux-image-}
  [[ -s $to/vmlinuz ]] && continue
  scratch=$(mktemp -d "$cache/.new.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  (cd "$scratch" && apt-get download -qq "$package" >/dev/null 2>&1 && dpkg -x ./*.deb tree)
  mkdir -p "$scratch/whole"
  cp "$scratch"/tree/boot/vmlinuz-* "$scratch/whole/vmlinuz"
  find "$scratch/tree" -name 'overlay.ko*' -exec cp {} "$scratch/whole/" \;
  mv -T "$scratch/whole" "$to" 2>/dev/null || true # another one was faster
  rm -rf "$scratch"
done
echo "$cache"
