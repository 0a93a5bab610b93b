package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6/lease"
)

// TestRoutesFail: a failure is told once, and all routes are looked at again soon, by the daemon's clock.
func TestRoutesFail(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1_800_000_000, 0)
	r := &routes{clocks: clocks{now: func() time.Time { return now }}, log: newLogger(&out), until: lease.Never}
	if r.tell(nil); !r.next().IsZero() {
		t.Error("without a failure they are to be looked at")
	}
	for range 2 {
		now = now.Add(time.Minute)
		r.tell(errors.New("no such route"))
		if want := now.Add(retryInterval); r.next() != want {
			t.Errorf("looked at again at %v, want %v", r.next(), want)
		}
	}
	if n := strings.Count(out.String(), "no such route"); n != 1 {
		t.Errorf("told %d times: %s", n, &out)
	}
}
