package main

import (
	"slices"
	"strings"
	"time"

	"lan6d/ctl"
	"lan6d/openwrt"
	"lan6d/openwrt/ubus"
)

// bus is the daemon's place on ubus. The zero value stands apart from it.
type bus struct {
	*ubus.Client
	writer ubus.Writer // of replies and events, kept to allocate little
	dumps  int         // tag of the last dump that netifd was asked for
}

// The objects that are published: the second while odhcpd does not.
const (
	ownObject    = "lan6d"
	odhcpdObject = "dhcp"
)

// netifd's object, and how long it may take to answer.
const (
	netifdObject  = "network.interface"
	netifdTimeout = 10 * time.Second
)

// odhcpdMethods are those of the object dhcp that this daemon has, too.
var odhcpdMethods = map[string]bool{"ipv6leases": true, "add_lease": true}

// openBus joins ubus, unless the configuration keeps lan6d from it.
func (d *daemon) openBus() {
	if !d.config.Daemon.UBus || d.bus.Client != nil {
		return
	}
	own, odhcpd := ubus.Object{Path: ownObject}, ubus.Object{Path: odhcpdObject}
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
		d.bus.Client = nil
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

// serveBus handles all that has happened on the bus, and returns when it needs to be looked at next.
func (d *daemon) serveBus(now time.Time) (next time.Time) {
	if d.bus.Client == nil {
		return next
	}
	next = d.bus.Tick(now)
	for e := d.bus.Next(); e != nil; e = d.bus.Next() {
		d.onBus(now, e)
	}
	return earliest(next, d.bus.Tick(now))
}

func (d *daemon) onBus(now time.Time, e *ubus.Event) {
	switch e.Kind {
	case ubus.Connected:
		d.log.infof("connected to ubus")
	case ubus.Disconnected:
		d.log.infof("not on ubus: %v", e.Err)
	case ubus.Published:
		d.log.infof("ubus object %s is published", e.Path)
	case ubus.Refused:
		d.log.infof("ubus object %s is not published: %v", e.Path, e.Status)
	case ubus.Followed, ubus.Notified:
		d.askNetifd(now)
	case ubus.Unfollowed:
		d.log.infof("netifd is gone, its interfaces stay as they are")
	case ubus.Answered:
		if e.Tag == d.bus.dumps {
			d.answeredNetifd(e)
		}
	case ubus.Called:
		d.calledOnBus(e)
	}
}

// calledOnBus answers a call of a method of ours. Who may call what, ubusd has decided.
func (d *daemon) calledOnBus(e *ubus.Event) {
	m := d.control.find(e.Name)
	if m == nil {
		_ = d.bus.Reply(e, ubus.StatusMethodNotFound, nil)
		return
	}
	err := checkArguments(&m.Method, e.Args)
	var write reply
	if err == nil {
		write, err = m.run(d, e.Args)
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
			ok = ok || isText && (arg.Values == "" || slices.Contains(strings.Fields(arg.Values), s))
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

// askNetifd asks for all interfaces: what it tells of one is not all that matters.
func (d *daemon) askNetifd(now time.Time) {
	d.bus.dumps++
	d.bus.writer.Reset()
	d.bus.writer.BeginObject("")
	d.bus.writer.EndObject()
	d.bus.Invoke(now, netifdObject, "dump", &d.bus.writer, netifdTimeout, d.bus.dumps)
}

// answeredNetifd takes up what netifd tells.
func (d *daemon) answeredNetifd(e *ubus.Event) {
	if e.Status != ubus.StatusOK {
		d.log.warnf("ubus call %s dump: %v", netifdObject, e.Status)
		return
	}
	if networks := parseNetworks(e.Args); !openwrt.SameNetworks(networks, d.netifd) {
		d.netifd = networks
		d.useNetworks()
	}
}
