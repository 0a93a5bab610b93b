package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	bindings "lan6d/dhcpv6/lease"
)

// journalPath is where lan6d keeps its leases.
const journalPath = "/run/e2e/state/leases.journal"

// A keep is what a file of leases holds: lan6d's own code reads it, as the next start would, but no lan6d need run.
type keep struct {
	table *bindings.Table
	torn  int // octets at its end that are no whole record
}

// kept reads the leases that are on disk.
func (r *router) kept() keep {
	r.t.Helper()
	content, err := os.ReadFile(r.path(journalPath))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.restored(content)
}

// restored reads the content of a file of leases.
func (r *router) restored(content []byte) keep {
	r.t.Helper()
	n, err := bindings.Whole(content)
	if n == 0 {
		r.t.Fatalf("the journal has no header: %v: % x", err, content[:min(len(content), 32)])
	}
	k := keep{bindings.NewTable(time.Now(), bindings.Limits{}), len(content) - n}
	if err := k.table.Restore(content[:n], 0, clock()); err != nil {
		r.t.Errorf("the journal makes no sense: %v", err)
	}
	if err := k.table.Check(); err != nil {
		r.t.Errorf("the journal's bindings are not in order: %v", err)
	}
	return k
}

// clock reads the clocks as lan6d does.
func clock() (c bindings.Clock) {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	copy(c.Boot[:], strings.ReplaceAll(string(id), "-", ""))
	var since, wall unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &since)
	unix.ClockGettime(unix.CLOCK_REALTIME, &wall)
	c.Since, c.Wall = since.Nano(), wall.Nano()
	return c
}

// len is the number of bindings, those included that are only remembered.
func (k keep) len() (n int) {
	for _, l := range k.table.Links() {
		n += l.Len()
	}
	return n
}

// lacks says what of a claim is missing; nothing if it is there for as long as was promised.
func (k keep) lacks(c claim) string {
	kind := map[uint16]bindings.Kind{optIANA: bindings.Address, optIAPD: bindings.Prefix}[c.code]
	b := k.table.Link("lan").Lookup([]byte(c.duid), c.iaid, kind)
	switch {
	case b == nil:
		return fmt.Sprintf("%v was promised %v, and has no binding", c.iaKey, c.leases)
	case b.State != bindings.Bound:
		return fmt.Sprintf("%v was promised %v, and its binding is %v", c.iaKey, c.leases, b.State)
	}
	for _, l := range c.leases {
		// A second, for lifetimes are whole seconds.
		promised := time.Until(c.asked) + time.Duration(l.valid)*time.Second - time.Second
		if held := b.Find(l.prefix); held == nil || held.Withdrawn {
			return fmt.Sprintf("%v was promised %v, and its binding has %v", c.iaKey, l, b.Leases)
		} else if held.Valid < bindings.Time(promised) {
			return fmt.Sprintf("%v was promised %v for %v yet, and has it for %v", c.iaKey, l, promised, time.Duration(held.Valid))
		}
	}
	return ""
}

// checkKept: every claim is among what was kept.
func (r *router) checkKept(when string, k keep, claims []claim) {
	r.t.Helper()
	var lost []string
	for _, c := range claims {
		if text := k.lacks(c); text != "" {
			lost = append(lost, text)
		}
	}
	if len(lost) > 0 {
		r.t.Errorf("%s: %d of %d claims are lost:\n%s", when, len(lost), len(claims), strings.Join(lost[:min(len(lost), 5)], "\n"))
	}
}

// routes are the routes that the bindings need.
func (k keep) routes() (list []string) {
	for b := range k.table.Link("lan").Prefixes() {
		for _, l := range b.Leases {
			if b.State == bindings.Bound && !l.Withdrawn {
				list = append(list, routeText(l.Prefix, b.Peer))
			}
		}
	}
	slices.Sort(list)
	return list
}

func routeText(p netip.Prefix, via netip.Addr) string { return fmt.Sprintf("%v via %v", p, via) }

// routes are the routes of lan6d that the kernel has.
func (r *router) routes() (list []string) {
	r.t.Helper()
	for line := range strings.Lines(r.run("ip", "-6", "route", "show", "proto", "109")) {
		text, _, _ := strings.Cut(line, " dev lan0 metric 1024")
		list = append(list, text)
	}
	slices.Sort(list)
	return list
}

// checkRoutes: the kernel's routes become those that the bindings need, no more and no fewer.
func (r *router) checkRoutes(when string, k keep) {
	r.t.Helper()
	want := k.routes()
	var got []string
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got = r.routes(); slices.Equal(got, want) {
			return
		}
	}
	missing := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(got, s) })
	wrong := slices.DeleteFunc(got, func(s string) bool { return slices.Contains(want, s) })
	r.t.Errorf("%s: %d routes are missing, %d are wrong: %q, %q", when, len(missing), len(wrong), missing, wrong)
}
