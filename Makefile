# make demo    set up, build, and run the main job on a small image made on the spot
# make test    set up and run every test
# make lint    formatting, vet, staticcheck, known vulnerabilities, module file
# make bench   the table of docs/benchmarks.md (IMAGES=folder to keep the images in)
# make build   bin/bulwark, one static file
# make arm64   what asks the kernel, on kernels for arm64 in an emulator

SHELL := /bin/bash
export CGO_ENABLED ?= 0
VERSION ?= $(shell git describe --tags --dirty 2>/dev/null)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: all build demo test lint bench soak arm64 fuzz clean
all: build

build:
	go build -trimpath -ldflags '-s -w -X bulwark/internal/cli.Version=$(VERSION)' -o bin/bulwark ./cmd/bulwark

demo: build
	@scripts/setup.sh demo
	@scripts/demo.sh

# Everything once; then whatever starts goroutines, and is not a program of its own, under the race
# detector, without the few tests that go through masses of data. What is below test/ builds
# and runs the program, which go's cache of results does not see.
test:
	@scripts/setup.sh test
	@scripts/apiserver.sh >/dev/null # 4 to 8 minutes of a processor the first time, then none
	go test -timeout 20m $$(go list ./... | grep -v '^bulwark/test/')
	go test -count=1 -timeout 20m ./test/...
	CGO_ENABLED=1 go test -race -short -timeout 20m $$(scripts/racing.sh)

lint:
	@files=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$files" ]; then echo "gofmt would change:"; echo "$$files"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	@scripts/vulncheck.sh $(GOVULNCHECK)
	go mod tidy -diff

bench: build
	@scripts/setup.sh bench
	@scripts/bench.sh

# 30 ordinary containers for ten minutes, and what is told of them (SOAK=2m for less)
soak:
	@scripts/setup.sh soak
	@scripts/soak.sh

# what asks the kernel, on Debian's kernels for arm64: two minutes or three, without hardware support
arm64:
	@scripts/setup.sh arm64
	KERNELS=arm64 go test -count=1 -timeout 20m -v -run TestKernels ./test/kernels

# every fuzz target for a while: make fuzz FUZZTIME=1m
FUZZTIME ?= 10s
fuzz:
	@scripts/fuzz.sh $(FUZZTIME)

clean:
	rm -rf bin demo-out
