package calls

// Making the objects needs clang and libbpf's headers (Debian: clang llvm libbpf-dev); building bulwark does not.
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -go-package calls -target amd64,arm64 -cc clang -strip llvm-strip -no-global-types programs bpf/calls.c -- -O2 -Wall -Werror -I/usr/include/x86_64-linux-gnu
