package main

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/lease"
)

// clocks tell the time. Tests put their own in place of the system's.
type clocks struct {
	now  func() time.Time   // for deadlines: only its monotonic reading counts
	read func() lease.Clock // for what is to outlive the process
}

func systemClocks() clocks {
	var c lease.Clock
	if id, err := readFile("/proc/sys/kernel/random/boot_id"); err == nil {
		copy(c.Boot[:], strings.ReplaceAll(string(id), "-", "")) // half of its digits tell boots apart
	}
	read := func() lease.Clock {
		var since, wall unix.Timespec
		unix.ClockGettime(unix.CLOCK_BOOTTIME, &since) // neither can fail
		unix.ClockGettime(unix.CLOCK_REALTIME, &wall)
		c.Since, c.Wall = since.Nano(), wall.Nano()
		return c
	}
	return clocks{time.Now, read}
}
