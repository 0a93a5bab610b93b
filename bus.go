package main

import (
	"slices"
	"time"

	"lan6d/ctl"
	"lan6d/openwrt/ubus"
)

// bus is the daemon's place on ubus. The zero value stands apart from it.
type bus struct {
	*ubus.Client
	writer ubus.Writer // of replies and events, kept to allocate little
	absent bool        // there is no ubusd
	taken  bool        // the object dhcp is another's
	leave  time.Time   // when to leave it; zero: not at all

	// What netifd is asked.
	dumps   int         // how often, which is the tag of the last question
	asked   bool        // it has not answered that yet
	again   bool        // what it will answer may be out of date
	retry   time.Time   // when to ask again; zero: no need
	refused ubus.Status // the last answer, if it was none
}

// The objects that are published: the second while odhcpd does not.
const (
	ownObject    = "lan6d"
	odhcpdObject = "dhcp"
)

// listMethod is one of the control channel's own.
const listMethod = "list"

// leavePause is how long lan6d stays on the bus when it is to leave: who has called reload there is to have its answer.
const leavePause = 200 * time.Millisecond

// odhcpdMethods are those of the object dhcp that this daemon has, too.
var odhcpdMethods = map[string]bool{"ipv6leases": true, "add_lease": true}

// openBus joins ubus, unless the configuration keeps lan6d from it.
func (d *daemon) openBus() {
	if !d.config.Daemon.UBus || d.bus.Client != nil {
		return
	}
	own, odhcpd := ubus.Object{Path: ownObject}, ubus.Object{Path: odhcpdObject}
	if d.control.channel != nil {
		own.Methods = append(own.Methods, ubus.Method{Name: listMethod})
	}
	for i := range d.control.methods {
		m := &d.control.methods[i].Method
		signature := ubus.Method{Name: m.Name}
		for _, a := range m.Args {
			signature.Args = append(signature.Args, ubus.Arg{Name: a.Name, Type: busTypes[a.Type]})
		}
		own.Methods = append(own.Methods, signature)
		if odhcpdMethods[m.Name] {
			odhcpd.Methods = append(odhcpd.Methods, signature)
		}
	}
	d.bus.Client = ubus.New(d.clocks.now(), ubus.Config{
		Path: d.options.ubusPath, Objects: []ubus.Object{own, odhcpd}, Follow: []string{netifdObject},
	})
}

var busTypes = [...]int32{ctl.String: ubus.ArgString, ctl.Strings: ubus.ArgArray, ctl.Integer: ubus.ArgInt32, ctl.Boolean: ubus.ArgBool}

// closeBus leaves ubus.
func (d *daemon) closeBus() {
	if d.bus.Client != nil {
		d.bus.Close()
		d.bus = bus{}
		d.netifd = nil
	}
}

// inbox gives what comes from ubusd.
func (b *bus) inbox() <-chan ubus.Input {
	if b.Client == nil {
		return nil
	}
	return b.Inbox()
}

// heard reports whether anybody on the bus may be told of an event: subscribers of all, everybody of all but renewals,
// which come all the time.
func (b *bus) heard(name string) bool {
	if b.Client == nil || !b.Connected() {
		return false
	}
	return name != "dhcp.renew6" || b.Subscribed(ownObject) || b.Subscribed(odhcpdObject)
}

// emit tells subscribers of our objects, and sends an event.
func (b *bus) emit(name string, write reply) {
	b.writer.Reset()
	write(&b.writer)
	for _, object := range [...]string{ownObject, odhcpdObject} {
		if b.Subscribed(object) {
			_ = b.Notify(object, name, &b.writer) // too long a message is nobody's
		}
	}
	switch name {
	case "dhcp.renew6":
	case "interface", "config": // whose, others must see
		_ = b.Send(ownObject+"."+name, &b.writer)
	default:
		_ = b.Send(name, &b.writer)
	}
}

// due is when the bus is to be looked at next.
func (b *bus) due(now time.Time) time.Time {
	if b.Client == nil {
		return time.Time{}
	}
	return earliest(b.Tick(now), b.retry, b.leave)
}

// serveBus handles all that has happened on the bus.
func (d *daemon) serveBus(now time.Time) {
	if d.bus.Client == nil {
		return
	}
	switch {
	case d.base.Daemon.UBus:
		d.bus.leave = time.Time{}
	case d.bus.leave.IsZero():
		d.bus.leave = now.Add(leavePause)
	case !d.bus.leave.After(now):
		d.closeBus()
		d.log.infof("not on ubus any more: option ubus is 0")
		return
	}
	d.bus.Tick(now)
	for e := d.bus.Next(); e != nil; e = d.bus.Next() {
		d.onBus(now, e)
	}
	if at := d.bus.retry; !at.IsZero() && !at.After(now) {
		d.askNetifd(now)
	}
}

func (d *daemon) onBus(now time.Time, e *ubus.Event) {
	switch e.Kind {
	case ubus.Connected:
		d.bus.absent = false
		d.log.infof("connected to ubus")
	case ubus.Disconnected:
		d.log.infof("not on ubus: %v", e.Err)
		d.bus.absent, d.bus.taken = true, false
		d.useNetworks() // who waits for netifd is to know
	case ubus.Published:
		d.log.infof("ubus object %s is published", e.Path)
		d.setTaken(d.bus.taken && e.Path != odhcpdObject)
	case ubus.Refused:
		d.refusedOnBus(e)
	case ubus.Followed:
		d.bus.asked = false // who was asked is gone, and did not answer
		d.askNetifd(now)
	case ubus.Notified:
		d.askNetifd(now)
	case ubus.Unfollowed:
		d.bus.retry = time.Time{}
		d.log.infof("netifd is gone, its interfaces stay as they are")
	case ubus.Answered:
		if e.Tag == d.bus.dumps {
			d.answeredNetifd(now, e)
		}
	case ubus.Called:
		d.calledOnBus(e)
	}
}

// refusedOnBus tells what ubusd does not allow. It says the same of a path that is taken and of one that is forbidden.
func (d *daemon) refusedOnBus(e *ubus.Event) {
	switch e.Path {
	case odhcpdObject:
		d.log.infof("ubus object %s is not published: it is odhcpd's, as long as that publishes it, or forbidden in /usr/share/acl.d (%v)", e.Path, e.Status)
		d.setTaken(true)
	case ownObject:
		d.log.warnf("ubus object %s is not published: another program has that path, or it is forbidden in /usr/share/acl.d (%v)", e.Path, e.Status)
	default:
		d.log.warnf("%s: ubusd does not let lan6d follow it, see /usr/share/acl.d (%v)", e.Path, e.Status)
	}
}

// setTaken notes whether the object dhcp is another's, which is odhcpd: that may serve what lan6d serves.
func (d *daemon) setTaken(taken bool) {
	if d.bus.taken != taken {
		d.bus.taken = taken
		d.useNetworks()
	}
}

// calledOnBus answers a call of a method of ours. Who may call what, ubusd has decided.
func (d *daemon) calledOnBus(e *ubus.Event) {
	var write reply
	var err error
	switch m := d.control.find(e.Name); {
	case m != nil:
		if err = checkArguments(&m.Method, e.Args); err == nil {
			write, err = m.run(d, e.Args)
		}
	case e.Name == listMethod && d.control.channel != nil:
		write = d.control.channel.WriteList
	default:
		_ = d.bus.Reply(e, ubus.StatusMethodNotFound, nil)
		return
	}
	if err != nil {
		status := ubus.StatusUnknownError
		if codeOf(err) == ctl.InvalidParams {
			status = ubus.StatusInvalidArgument
		}
		d.log.debugf("ubus call of %s: %v", e.Name, err)
		_ = d.bus.Reply(e, status, nil)
		return
	}
	if write == nil {
		_ = d.bus.Reply(e, ubus.StatusOK, nil)
		return
	}
	d.bus.writer.Reset()
	write(&d.bus.writer)
	if err := d.bus.Reply(e, ubus.StatusOK, &d.bus.writer); err != nil {
		d.log.warnf("ubus call of %s: %v", e.Name, err)
	}
}

// checkArguments finds an argument that is not of its type. Unknown ones are ignored, as everywhere on ubus.
func checkArguments(m *ctl.Method, a arguments) error {
	for i := range m.Args {
		arg := &m.Args[i]
		ok := !a.Has(arg.Name)
		switch arg.Type {
		case ctl.String:
			s, isText := a.String(arg.Name)
			ok = ok || isText && (arg.Values == nil || slices.Contains(arg.Values, s))
		case ctl.Strings:
			_, isText := a.String(arg.Name) // as odhcpd had it until 2025
			_, isList := a.Strings(arg.Name)
			ok = ok || isText || isList
		case ctl.Integer:
			_, isInt := a.Int(arg.Name)
			ok = ok || isInt
		case ctl.Boolean:
			_, isBool := a.Bool(arg.Name)
			ok = ok || isBool
		}
		if !ok {
			return errArguments(arg.Name + ": wrong type or value")
		}
	}
	return nil
}
