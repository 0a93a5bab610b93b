package main

import (
	"errors"
	"path/filepath"
	"strings"

	"lan6d/ctl"
	"lan6d/dhcpv6/tinyfmt"
)

// A method is what others can ask of the daemon, over the control channel and over ubus.
type method struct {
	ctl.Method
	run func(*daemon, arguments) (reply, error)
}

// reply writes the answer to a call, at once: it looks at the state of the moment.
type reply = func(ctl.Writer)

// arguments are those of a call, whatever way it came.
type arguments interface {
	Has(name string) bool
	String(name string) (string, bool)
	Strings(name string) ([]string, bool)
	Int(name string) (int64, bool)
	Bool(name string) (value, ok bool)
}

// events are what those who listen are told.
var events = []string{
	"dhcp.lease6", "dhcp.renew6", "dhcp.release6", "dhcp.expire6", "dhcp.decline6", "dhcp.prefix6", "interface", "config",
}

// methods is the table of them. (A function, since its entries lead back to it.)
func methods() []method {
	interfaceArg := ctl.Arg{Name: "interface", Doc: "logical name or device"}
	duid := ctl.Arg{Name: "duid", Doc: "the client's, in hexadecimal digits"}
	return []method{
		{ctl.Method{Name: "status", Doc: "what lan6d is doing, and what is wrong"}, (*daemon).callStatus},
		{ctl.Method{Name: "interfaces", Doc: "interfaces, their prefixes and pools"}, (*daemon).callInterfaces},
		{ctl.Method{Name: "leases", Doc: "who has which address and which prefix", Args: []ctl.Arg{
			interfaceArg, duid, {Name: "hostname", Doc: "of the client"},
			{Name: "kind", Values: []string{"address", "prefix"}, Doc: "what is leased"},
			{Name: "state", Values: []string{"bound", "offered", "declined", "free"}, Doc: "of the binding; default: all but free"},
		}}, (*daemon).callLeases},
		{ctl.Method{Name: "ipv6leases", Doc: "leases, in odhcpd's form"}, (*daemon).callIPv6Leases},
		{ctl.Method{Name: "add_lease", Doc: "a fixed lease until the next reload, as a section of type host gives", Changes: true, Args: []ctl.Arg{
			{Name: "duid", Type: ctl.Strings, Doc: "DUIDs of the client, with %IAID if only that IA is meant"},
			{Name: "mac", Type: ctl.Strings, Doc: "link-layer addresses of the client"},
			{Name: "name", Doc: "host name"}, {Name: "hostid", Doc: "interface id, in hexadecimal digits"},
			{Name: "ip", Doc: "IPv4 address, whose last number stands in for hostid"},
			{Name: "prefix", Doc: "to delegate: a whole one, or the number of a /64"}, {Name: "leasetime", Doc: "12h, infinite"},
		}}, (*daemon).callAddLease},
		{ctl.Method{Name: "del_lease", Doc: "end the leases of a client, or of the one that has a lease", Changes: true, Args: []ctl.Arg{
			duid, {Name: "iaid", Type: ctl.Integer, Doc: "with duid: this IA only"},
			{Name: "address", Doc: "of the lease"}, {Name: "prefix", Doc: "of the lease"}, interfaceArg,
		}}, (*daemon).callDelLease},
		{ctl.Method{Name: "reconfigure", Doc: "have clients that accept it ask for what has changed", Changes: true, Args: []ctl.Arg{
			interfaceArg, duid, {Name: "all", Type: ctl.Boolean, Doc: "all clients"},
		}}, (*daemon).callReconfigure},
		{ctl.Method{Name: "reload", Doc: "read the configuration again", Changes: true}, (*daemon).callReload},
		{ctl.Method{Name: "check", Doc: "what is wrong in the configuration, and what comes of it"}, (*daemon).callCheck},
		{ctl.Method{Name: "loglevel", Doc: "what is logged, or is to be until the next reload", Changes: true, Args: []ctl.Arg{
			{Name: "level", Values: []string{"error", "warn", "info", "debug"}, Doc: "the least severity"},
		}}, (*daemon).callLogLevel},
		{ctl.Method{Name: "metrics", Doc: "counters, as Prometheus reads them"}, (*daemon).callMetrics},
		{ctl.Method{Name: "dump", Doc: "all state, without keys, for a bug report"}, (*daemon).callDump},
	}
}

// control is the daemon's side of the control channel.
type control struct {
	channel *ctl.Server // nil: there is none
	failed  error       // why
	methods []method
}

// openControl begins to listen. An error is that another daemon does, in the same state directory; without a control channel
// for another reason, the daemon serves all the same.
func (d *daemon) openControl() error {
	d.control.methods = methods()
	config := ctl.Config{Path: filepath.Join(d.options.stateDir, ctl.SocketName), Events: events, Report: d.report}
	for i := range d.control.methods {
		config.Methods = append(config.Methods, d.control.methods[i].Method)
	}
	channel, err := ctl.Listen(config)
	switch {
	case errors.Is(err, ctl.ErrRunning):
		return err
	case err != nil:
		d.control.failed = tinyfmt.Errorf("control channel: %w", err)
		d.log.errorf("%v", d.control.failed)
	default:
		d.control.channel = channel
	}
	return nil
}

func (d *daemon) closeControl() {
	if d.control.channel != nil {
		d.control.channel.Close()
	}
}

// requests gives what comes over the control channel.
func (c *control) requests() <-chan *ctl.Request {
	if c.channel == nil {
		return nil
	}
	return c.channel.Requests()
}

// find looks a method up; nil: there is none.
func (c *control) find(name string) *method {
	for i := range c.methods {
		if c.methods[i].Name == name {
			return &c.methods[i]
		}
	}
	return nil
}

// called answers a request of the control channel.
func (d *daemon) called(r *ctl.Request) {
	m := d.control.find(r.Method)
	if m == nil {
		r.Fail(ctl.MethodNotFound, "there is no method "+r.Method)
		return
	}
	write, err := m.run(d, r.Args)
	if err != nil {
		r.Fail(codeOf(err), err.Error())
		return
	}
	r.Reply(write)
}

// errArguments is an error of whoever called.
type errArguments string

func (e errArguments) Error() string { return string(e) }

func codeOf(err error) int {
	if _, ok := errors.AsType[errArguments](err); ok {
		return ctl.InvalidParams
	}
	return ctl.Failed
}

// text is an argument that is a string; "" without one.
func text(a arguments, name string) string {
	s, _ := a.String(name)
	return s
}

// interfaceOf is the logical name that the argument "interface" means; "" without one.
func (d *daemon) interfaceOf(a arguments) (string, error) {
	name := text(a, "interface")
	if name == "" {
		return "", nil
	}
	known := ""
	for i := range d.config.Interfaces {
		c := &d.config.Interfaces[i]
		if c.Name == name || c.DeviceName() == name {
			return c.Name, nil
		}
		known += ", " + c.Name
	}
	return "", errArguments("interface: there is no " + name + ", only " + strings.TrimPrefix(known, ", "))
}
