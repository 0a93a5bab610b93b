# What makes the program small, for ../Makefile and for the Makefile here. GO is the go command.

# Functions are inlined up to a cost of 10, on the packet path (FAST), which would be slower and allocate without, up to 60.
# The compiler's own limit is 80, from which "slack" is taken: that needs its new inliner. The garbage collector of Go 1.26
# gains nothing in so small a heap, and the one before it takes 28 KB less. A Go that does not know one of these experiments
# goes without.
FAST := lan6d/dhcpv6 lan6d/dhcpv6/server lan6d/dhcpv6/lease lan6d/relay lan6d/netif encoding/binary internal/byteorder net/netip \
	slices strings sync/atomic

SMALL_EXPERIMENTS = $(foreach e,newinliner nogreenteagc,$(shell GOEXPERIMENT=$(e) $(GO) version >/dev/null 2>&1 && echo $(e)))
empty :=
comma := ,
SMALL_ENV = GOEXPERIMENT=$(subst $(empty) $(empty),$(comma),$(strip $(SMALL_EXPERIMENTS)))

# For a GOARCH. Of package runtime, all is inlined that usually is where the byte order is big: the write barrier must not be
# preempted, and there readUintptr, which it calls, may be if it is a function of its own ("slice bounds out of range" in
# wbBufFlush1).
SMALL_GCFLAGS = -gcflags=all=-d=inlbudgetslack=-70 $(FAST:%=-gcflags=%=-d=inlbudgetslack=-20) \
	$(if $(filter mips mips64 ppc64 s390x,$(1)),-gcflags=runtime=-d=inlbudgetslack=1)
