package e2e

import (
	"strings"
	"testing"
	"time"
)

const (
	notWritten   = "clients are served, but a restart would lose what they get now"
	writtenAgain = "leases are written again"
)

// tiny is a router whose state directory is a file system of its own, of so many octets.
func tiny(t *testing.T, size string) *router {
	r := bareRouter(t, tight, tightAddrs...)
	r.addLAN()
	r.run("mkdir", "-p", "/run/e2e/state")
	r.run("mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", "/run/e2e/state")
	r.serve()
	return r
}

// fill leaves no room in the state directory.
func (r *router) fill() {
	r.t.Helper()
	if out, err := r.command("dd", "if=/dev/zero", "of=/run/e2e/state/ballast", "bs=1k").CombinedOutput(); err == nil {
		r.t.Fatalf("the state directory has room for all: %s", out)
	}
}

// remount changes an option of the state directory's file system. All is named: else mount(8) repeats options that it finds,
// among them an owner whom a user namespace need not know.
func (r *router) remount(option string) {
	r.t.Helper()
	r.run("mount", "-t", "tmpfs", "-o", "remount,"+option, "tmpfs", "/run/e2e/state")
}

// empty makes room again.
func (r *router) empty() { r.run("rm", "/run/e2e/state/ballast") }

// busy has some of a crowd renew again and again until ok, for that is when lan6d writes.
func (c *crowd) busy(members []*member, limit time.Duration, what string, ok func() bool) {
	c.t.Helper()
	eventually(c.t, limit, what, func() bool {
		c.renew(members)
		return ok()
	})
}

// once checks that lan6d has said something of the leases, not of relayed prefixes, exactly once since it was started.
func (r *router) once(text string) {
	r.t.Helper()
	n := 0
	for line := range strings.Lines(r.lan6d.log()) {
		if strings.HasPrefix(line, "error: leases: ") && strings.Contains(line, text) {
			n++
		}
	}
	if n != 1 {
		r.t.Errorf("%q is logged %d times", text, n)
	}
}

// TestDiskFull: while the disk is full, clients are served, old ones and new ones; that leases are not written is said
// once. A crash then loses what was promised since, and nothing from before. When there is room, all is written, without
// being asked to, and outlives the next crash.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	r := tiny(t, "256k")
	var l ledger
	c := r.newCrowd(newRandom(t), &l, 60)
	early, late := c.members[:40], c.members[40:]

	c.join(early)
	before := l.all()
	r.fill()
	c.busy(early, 20*time.Second, "the journal to be full", func() bool { return r.lan6d.hasLogged("error:", notWritten) })
	c.join(late)
	c.renew(c.members)
	r.once(notWritten)
	r.ctlPrints("status", "\nleases are not written: ", "no space left on device")
	if ok, known := r.metrics()[`lan6d_journal_ok{file="`+journalPath+`"}`]; !known || ok != 0 {
		t.Errorf("metric for the journal: %v, %v", known, ok)
	}

	r.lan6d.kill()
	full := r.kept()
	r.checkKept("killed while the disk is full", full, since(before, l.all()))
	r.lan6d.forget()
	r.serve()
	r.awaitService()
	r.checkRestored("started while the disk is full", full)
	c.renew(early)
	r.once(notWritten)
	c.renew(late) // nobody else has got theirs meanwhile, so they are granted again
	r.lan6d.kill()
	r.checkKept("killed again while the disk is full", r.kept(), since(before, l.all()))
	r.serve()
	r.awaitService()
	c.renew(c.members)

	r.empty()
	eventually(t, 20*time.Second, "the journal to be whole, though no client asks for anything", func() bool {
		return r.lan6d.hasLogged(writtenAgain)
	})
	r.once(notWritten)
	whole := l.all()
	r.checkKept("in the journal that is whole again", r.kept(), whole)
	c.each(late, "come back as somebody else", func(m *member) {
		m.leave(false)
		m.begin()
		m.join()
	})
	r.lan6d.kill()
	k := r.kept()
	r.checkKept("killed after writing was resumed", k, l.all())
	r.serve()
	r.awaitService()
	r.checkRestored("started after writing was resumed", k)
	r.checkRoutes("started after writing was resumed", k)
	c.renew(c.members)
}

// since are the claims of a moment, less those that have ended by another, with the lifetimes of then.
func since(then, now []claim) (list []claim) {
	held := make(map[iaKey]bool)
	for _, c := range now {
		held[c.iaKey] = true
	}
	for _, c := range then {
		if held[c.iaKey] {
			list = append(list, c)
		}
	}
	return list
}

// TestDiskFilledByLeases: the leases themselves fill the disk. What was promised before is there after a crash, and all of
// it when there is more room.
func TestDiskFilledByLeases(t *testing.T) {
	t.Parallel()
	r := tiny(t, "64k")
	var l ledger
	c := r.newCrowd(newRandom(t), &l, 800)
	var before []claim
	joined := 0
	for ; !r.lan6d.hasLogged("error:", notWritten); joined += 20 {
		if joined == len(c.members) {
			t.Fatalf("the journal of %d octets fills no disk", len(r.read(journalPath)))
		}
		for _, m := range c.members[joined : joined+20] {
			m.codes = []uint16{optIANA}
		}
		before = l.all()
		c.join(c.members[joined : joined+20])
		// The log may come later than the answers. This is said after what is said of the disk.
		eventually(t, 5*time.Second, "the log to tell of these clients", func() bool {
			return strings.Count(r.lan6d.log(), "lan: bound ") == joined+20
		})
	}
	t.Logf("full with the leases of %d clients", joined)
	if len(before) < 100 {
		t.Errorf("the disk is full with %d leases", len(before))
	}
	r.lan6d.kill()
	r.checkKept("killed when the disk was full", r.kept(), before)
	r.serve()
	r.awaitService()
	c.renew(c.members)
	r.remount("size=1m")
	eventually(t, 20*time.Second, "the journal to be whole", func() bool { return r.lan6d.hasLogged(writtenAgain) })
	c.renew(c.members[:20])
	r.lan6d.kill()
	r.checkKept("killed after writing was resumed", r.kept(), l.all())
}

// TestReadOnly: a read-only file system comes over the state directory while lan6d runs. (Linux turns none read-only in
// which a file is open for writing.) When the journal is to be compacted, that fails, is said once, and the old one goes
// on: clients are served and nothing is lost; when the file system is gone, it is compacted. On a read-only state
// directory lan6d does not start, and says why.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	r := tiny(t, "64m")
	var l ledger
	c := r.newCrowd(newRandom(t), &l, 60)
	c.join(c.members[:40])
	r.run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", "/run/e2e/state")
	const swollen = "the journal cannot be compacted, it goes on growing"
	c.busy(c.members, 60*time.Second, "the journal to be compacted", func() bool {
		return r.lan6d.hasLogged("error:", "read-only file system", swollen)
	})
	c.join(c.members[40:])
	time.Sleep(6 * time.Second) // it is tried again every five
	c.renew(c.members)
	r.once(swollen)
	r.run("umount", "/run/e2e/state")
	r.checkKept("in the journal that goes on", r.kept(), l.all())
	c.busy(c.members, 20*time.Second, "the journal to be compacted", func() bool {
		return r.lan6d.hasLogged("the journal of leases is compacted again")
	})
	c.renew(c.members[:20])
	r.lan6d.kill()
	r.checkKept("killed after it was compacted", r.kept(), l.all())

	r.remount("ro")
	r.serve()
	if status := r.lan6d.wait(5 * time.Second); status != 1 {
		t.Errorf("on a read-only state directory: exit status %d", status)
	}
	r.lan6d.logged("/run/e2e/state", "read-only file system", "-d DIR names another")
	r.remount("rw")
	k := r.kept()
	r.serve()
	r.awaitService()
	r.checkRestored("started when it could be written again", k)
	c.renew(c.members)
}

// TestTinyDisk: where there is little room, the journal is compacted before it fills it: renewals alone never do.
func TestTinyDisk(t *testing.T) {
	t.Parallel()
	r := tiny(t, "64k")
	var l ledger
	c := r.newCrowd(newRandom(t), &l, 60)
	c.join(c.members)
	written, last := 0, 0
	for written < 256<<10 && !r.lan6d.hasLogged("error:") {
		c.renew(c.members)
		if n := len(r.read(journalPath)); n > last {
			written, last = written+n-last, n
		} else {
			last = n
		}
	}
	if r.lan6d.hasLogged("error:") {
		t.Errorf("the journal has filled the disk with %d octets", last)
	}
	r.lan6d.kill()
	r.checkKept("killed", r.kept(), l.all())
}
