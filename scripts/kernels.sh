#!/usr/bin/env bash
# Puts Debian's cloud kernels, with the modules that tests need, into a cache and prints its folder.
# usage: kernels.sh amd64|arm64; a folder for each: vmlinuz, overlay.ko; busybox-ARCH where that is not the machine's own
set -euo pipefail
arch=${1:?amd64 or arm64}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bulwark-test/kernels
mkdir -p "$cache"

apt=() # of another architecture packages are looked up in lists of its own: those of the machine stay as they are
if [[ $arch != "$(dpkg --print-architecture)" ]]; then
  own=$cache/.apt-$arch
  mkdir -p "$own/lists/partial" "$own/archives/partial"
  touch "$own/status"
  apt=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$own" -o "Dir::State::status=$own/status" -o "Dir::Cache=$own" -o APT::Sandbox::User=root)
  if [[ -z $(find "$own/updated" -mtime -1 2>/dev/null) ]]; then
    apt-get "${apt[@]}" update -qq >&2 && touch "$own/updated"
  fi
fi

scratch=$(mktemp -d "$cache/.new.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

unpack() { # package: into $scratch/tree; apt checks what it downloads
  rm -rf "$scratch"/*
  (cd "$scratch" && apt-get "${apt[@]}" download -qq "$1" >/dev/null 2>&1 && dpkg -x ./*.deb tree)
}

if [[ ${#apt[@]} -gt 0 && ! -s $cache/busybox-$arch ]]; then
  unpack busybox-static
  mv "$scratch/tree/bin/busybox" "$cache/busybox-$arch"
fi
for meta in "linux-image-cloud-$arch" "linux-image-6.12-cloud-$arch"; do
  package=$(apt-cache "${apt[@]}" depends "$meta" 2>/dev/null | awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ {print $2; exit}')
  [[ -n $package ]] || { echo "kernels.sh: no kernel behind $meta in the package lists: apt-get update" >&2; continue; }
  to=$cache/${package#linux-image-}
  [[ -s $to/vmlinuz ]] && continue
  unpack "$package"
  mkdir -p "$scratch/whole"
  cp "$scratch"/tree/boot/vmlinuz-* "$scratch/whole/vmlinuz"
  find "$scratch/tree" -name 'overlay.ko*' -exec cp {} "$scratch/whole/" \;
  mv -T "$scratch/whole" "$to" 2>/dev/null || true # another one was faster
done
echo "$cache"
