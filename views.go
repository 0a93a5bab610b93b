package main

import (
	"time"

	"lan6d/dhcpv6/lease"
	"lan6d/openwrt"
)

// viewsInterval is the time from one write of the lease and hosts files to the next, at least.
const viewsInterval = time.Second

// views has the lease file and the hosts files follow the bindings.
type views struct {
	writer  *openwrt.Views
	changed bool       // the bindings or the configuration, since the files were told
	due     time.Time  // no write before
	until   lease.Time // when the next lease ends whose binding goes on, which no event tells of
	size    int        // of the last lease file
	none    bool       // the writer knows that no file is wanted
}

// next is when the files are to be written next; the zero time: not until something changes.
func (v *views) next(table *lease.Table) time.Time {
	switch {
	case v.changed:
		return v.due
	case v.until == lease.Never:
		return time.Time{}
	}
	end := table.Wall(v.until)
	if end.Before(v.due) {
		return v.due
	}
	return end
}

// view hands the files that other programs read to their writer, where something has changed and it is time to.
func (d *daemon) view(now time.Time) {
	v, at := &d.views, d.server.Table().At(now)
	if !v.changed && v.until > at || v.due.After(now) || d.snapshot == nil {
		return
	}
	v.changed, v.until = false, lease.Never
	set := d.viewSet(now)
	if none := isNone(&set); !none || !v.none {
		v.none = none
		v.writer.Write(set)
	}
	// The loop must not spend its time on files when there are a great many leases.
	v.due = now.Add(max(viewsInterval, 20*d.clocks.now().Sub(now)))
}

// isNone reports whether no file is wanted.
func isNone(set *openwrt.ViewSet) bool {
	return set.LeaseFile == "" && set.HostsDir == "" && set.Trigger == ""
}

// viewSet is what other programs shall find.
func (d *daemon) viewSet(now time.Time) openwrt.ViewSet {
	options := &d.config.Daemon
	// The moment at which the second began: so a lease has the same time in each file.
	wall := d.clocks.read().Wall
	at := d.server.Table().At(now) - lease.Time(wall%int64(time.Second))
	set := openwrt.ViewSet{LeaseFile: options.LeaseFile, HostsDir: options.HostsDir, Trigger: options.LeaseTrigger}
	if isNone(&set) {
		return set
	}
	var interfaces []openwrt.ViewInterface
	for i := range d.config.Interfaces {
		c := &d.config.Interfaces[i]
		if c.Role != openwrt.Server {
			continue
		}
		view := openwrt.ViewInterface{Name: c.Name, Device: d.deviceOf(c.Name), Leases: d.server.Table().Link(c.Name).Bindings()}
		d.views.until = min(d.views.until, firstEnd(view.Leases, at))
		if len(c.Server.Search) > 0 {
			view.Domain = c.Server.Search[0]
		}
		interfaces = append(interfaces, view)
		if set.HostsDir != "" {
			set.Hosts = append(set.Hosts, openwrt.HostsFile{Interface: c.Name, Content: openwrt.AppendHosts(nil, &view, at)})
		}
	}
	if set.LeaseFile != "" {
		content := make([]byte, 0, d.views.size+1024)
		set.LeaseContent = openwrt.AppendLeaseFile(content, interfaces, at, wall/int64(time.Second))
		d.views.size = len(set.LeaseContent)
	}
	if set.Trigger != "" {
		set.Names = openwrt.NamesHash(interfaces, at)
	}
	return set
}

// firstEnd is when the first lease after now ends whose binding goes on.
func firstEnd(bindings []*lease.Binding, now lease.Time) lease.Time {
	first := lease.Never
	for _, b := range bindings {
		for i := range b.Leases {
			if l := &b.Leases[i]; !l.Withdrawn && l.Valid > now && l.Valid < b.Deadline {
				first = min(first, l.Valid)
			}
		}
	}
	return first
}
