# lan6d: `make demo` shows it at work, `make test` tests it, `make` builds it for this machine.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)

GO := go
include openwrt/small.mk
SMALL_ENV := $(SMALL_ENV)

# For a GOARCH.
BUILD = CGO_ENABLED=0 $(SMALL_ENV) go build -trimpath -buildvcs=false $(call SMALL_GCFLAGS,$(1)) -ldflags '$(LDFLAGS) $(ROUND)'

# Packages without I/O: their tests also run as on other machines, in other word sizes and byte orders.
PURE := ./dhcpv6/... ./relay/... ./ctl/json/... ./openwrt/...

# The machines that OpenWrt runs on, and how Go names them where the names differ.
TARGETS := mips mipsle arm5 arm7 arm64 riscv64 loong64 amd64 386
# (On MIPS, Go leaves room between the segments for pages of 64 KiB; OpenWrt's MIPS kernels have pages of 4 KiB.)
ENV_mips   := GOARCH=mips GOMIPS=softfloat
ENV_mipsle := GOARCH=mipsle GOMIPS=softfloat
ENV_arm5   := GOARCH=arm GOARM=5
ENV_arm7   := GOARCH=arm GOARM=7

# Octets, for mipsle: what a router with little flash can spare.
MAX_SIZE    := 3200000
MAX_SIZE_XZ := 850000

.PHONY: all build demo test check race bench fuzz size cross ipk apk clean need-go test-packages demo-packages

all: build

build: need-go
	$(call BUILD,$(shell go env GOARCH)) -o build/lan6d .

demo: demo-packages build
	test/demo.sh build/lan6d

test: test-packages check size build
	$(ENV_mips) CGO_ENABLED=0 $(SMALL_ENV) go test $(call SMALL_GCFLAGS,mips) -exec qemu-mips $(PURE)
	$(ENV_arm5) CGO_ENABLED=0 $(SMALL_ENV) go test $(call SMALL_GCFLAGS,arm) -exec qemu-arm $(PURE)
	GOARCH=386 CGO_ENABLED=0 go test $(PURE)
	LAN6D=$(CURDIR)/build/lan6d CI=true go test -count=1 ./...

# What needs no package and no other machine: format, vet.
check:
	@unformatted=$$(gofmt -l .) && { test -z "$$unformatted" || { echo "not formatted: $$unformatted"; exit 1; }; }
	go vet ./...

race: test-packages
	CGO_ENABLED=1 go build -buildvcs=false -race -o build/lan6d-race .
	LAN6D=$(CURDIR)/build/lan6d-race CGO_ENABLED=1 go test -race -count=1 ./...

# What docs/BENCH.md tells of: some minutes, without any other work on the machine if possible.
bench: build
	LAN6D=$(CURDIR)/build/lan6d go test -run '^$$' -bench . -benchtime 60x ./test/bench
	go test -run '^$$' -bench Load -benchtime 20x .

FUZZTIME := 30s
fuzz:
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$package || exit 1; \
		done; \
	done

size:
	@$(ENV_mipsle) $(call BUILD,mipsle) -o build/lan6d-mipsle .
	@size=$$(wc -c <build/lan6d-mipsle); xz=$$(xz -9e -c build/lan6d-mipsle | wc -c); \
	echo "lan6d for mipsle, softfloat: $$size octets (at most $(MAX_SIZE)), $$xz as xz (at most $(MAX_SIZE_XZ))"; \
	test $$size -le $(MAX_SIZE) && test $$xz -le $(MAX_SIZE_XZ)

cross: $(TARGETS:%=cross-%)

cross-mips cross-mipsle size: ROUND := -R 4096

cross-%:
	@env $(or $(ENV_$*),GOARCH=$*) $(call BUILD,$*) -o build/lan6d-$* .
	@printf 'lan6d for %-8s %8d octets\n' $* $$(wc -c <build/lan6d-$*)

# Packages for OpenWrt, in build/openwrt: make ipk ARCH=mipsel_24kc
ipk apk: need-go
	+@openwrt/mkpkg/mkpkg.sh $@ '$(ARCH)'

clean:
	rm -rf build

# Says so before anything is installed. (Go before 1.21 does not even understand go.mod.)
need-go:
	@go list -m >/dev/null || { echo "lan6d needs Go 1.26 or later in the PATH: https://go.dev/dl/" >&2; exit 1; }

test-packages: need-go
	@test/install.sh test

demo-packages: need-go
	@test/install.sh demo
