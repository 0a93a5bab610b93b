package main

import (
	"errors"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/tinyfmt"
)

// clocks tell the time. Tests put their own in place of the system's.
type clocks struct {
	now     func() time.Time   // for deadlines: only its monotonic reading counts
	read    func() lease.Clock // for what is to outlive the process
	stepped <-chan struct{}    // tells that the wall clock was set; nil: nobody does
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
	return clocks{now: time.Now, read: read}
}

// watchSteps tells whenever the wall clock is set, as long as the process runs.
func watchSteps(report func(error)) <-chan struct{} {
	stepped := make(chan struct{}, 1)
	timer, err := stepTimer()
	if err != nil {
		report(tinyfmt.Errorf("watch the clock: %w", err))
		return stepped
	}
	go func() {
		expirations := make([]byte, 8)
		for {
			if _, err := timer.Read(expirations); err != nil && !errors.Is(err, unix.ECANCELED) {
				report(tinyfmt.Errorf("watch the clock: %w", err))
				return
			}
			select {
			case stepped <- struct{}{}:
			default:
			}
		}
	}()
	return stepped
}

// stepTimer is a timer that the kernel cancels, and says so, each time that the wall clock is set: see timerfd_create(2).
// When it expires, in 2038, that does no harm.
func stepTimer() (*os.File, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_REALTIME, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	at := unix.ItimerSpec{Value: unix.Timespec{Sec: math.MaxInt32}}
	if err := unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME|unix.TFD_TIMER_CANCEL_ON_SET, &at, nil); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "timer"), nil
}
