package guard

//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -go-package guard -cc clang -target amd64,arm64 -cflags "-O2 -g -Wall -Werror" -tags linux -type scope -type ranges -type key4 -type key6 -type decision programs bpf/guard.c -- -Ibpf -I/usr/include/x86_64-linux-gnu
