package kernel

// Making the objects needs clang and libbpf's headers (Debian: clang llvm libbpf-dev); building bulwark does not.
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -go-package kernel -target amd64,arm64 -cc clang -strip llvm-strip -no-global-types sensor bpf/sensor.c -- -O2 -Wall -Werror
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -go-package kernel -target amd64,arm64 -cc clang -strip llvm-strip -no-global-types processes bpf/tasks.c -- -O2 -Wall -Werror
