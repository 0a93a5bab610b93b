package ubus

import (
	"bytes"
	"testing"
	"time"
)

// TestSetUp goes through all that is asked of ubusd after a connection, in its order.
func TestSetUp(t *testing.T) {
	b := newBench(t)
	b.connect()
	m := b.one(msgAddObject)
	if len(m.attrs) != 0 {
		t.Errorf("object for events: %x", m.attrs)
	}
	b.grant(m, 0xb15d4545)
	list := b.frames()
	if len(list) != 6 {
		t.Fatalf("%d frames: %+v", len(list), list)
	}
	for i, pattern := range []string{"ubus.object.add", "ubus.object.remove", "test.*"} {
		args, _ := ParseArgs(list[i].get(attrData, -1))
		got, _ := args.String("pattern")
		id, _ := args.Int("object")
		if list[i].kind != msgInvoke || list[i].peer != 1 || list[i].number(attrObjID) != 1 ||
			list[i].text(attrMethod) != "register" || got != pattern || uint32(id) != 0xb15d4545 {
			t.Errorf("frame %d: %+v, want to listen to %s", i, list[i], pattern)
		}
		b.status(list[i], StatusOK)
	}
	if list[3].kind != msgAddObject || len(list[3].attrs) != 0 {
		t.Errorf("object to follow with: %+v", list[3])
	}
	for i, path := range []string{"lan6d", "dhcp"} {
		m := list[4+i]
		if m.kind != msgAddObject || m.text(attrObjPath) != path {
			t.Errorf("%+v, want to publish %s", m, path)
		}
		b.grant(m, uint32(100+i))
		if e := b.expect(Published); e.Path != path {
			t.Errorf("published %s", e.Path)
		}
	}
	args, err := ParseArgs(list[5].get(attrSignature, -1))
	if n, ok := args.Elements("add_lease").Int("duid"); err != nil || !ok || n != int64(typeArray) || !args.Has("ipv6leases") {
		t.Errorf("signature %x", list[5].attrs)
	}
	b.grant(list[3], 200)
	m = b.one(msgLookup)
	if m.text(attrObjPath) != "network.interface" {
		t.Errorf("looks for %s", m.text(attrObjPath))
	}
	b.grant(m, 300)
	m = b.one(msgSubscribe)
	if m.number(attrObjID) != 200 || m.number(attrTarget) != 300 {
		t.Errorf("%d subscribes to %d", m.number(attrObjID), m.number(attrTarget))
	}
	b.quiet()
	b.status(m, StatusOK)
	if e := b.expect(Followed); e.Path != "network.interface" {
		t.Errorf("follows %s", e.Path)
	}
	if next := b.pass(time.Hour); !next.IsZero() {
		t.Errorf("something is due at %v", next)
	}
	b.none()
}

// TestAsCaptured compares what is sent with what real programs sent, octet by octet.
func TestAsCaptured(t *testing.T) {
	const sent, got = "client>ubusd", "ubusd>client"
	b := newBench(t)
	b.connect()
	b.frames()
	c := b.c
	expect := func(name, kind string, seq uint16) {
		t.Helper()
		octets := b.link.take(nil)
		b.link.take(octets)
		if want := find(t, name, sent, kind, seq).bytes(t); !bytes.Equal(octets, want) {
			t.Errorf("%s %s %d:\n%x, want\n%x", name, kind, seq, octets, want)
		}
	}
	odhcpd := &unit{role: publisher, path: "dhcp", methods: []Method{
		{Name: "ipv4leases"}, {Name: "ipv6leases"}, {Name: "ipv6ra"},
		{Name: "add_lease", Args: []Arg{{"ip", ArgString}, {"mac", ArgArray}, {"duid", ArgArray}, {"hostid", ArgString},
			{"leasetime", ArgString}, {"name", ArgString}}}}}
	c.seq, c.requests = 0, nil
	c.add(&unit{})
	expect("odhcpd-lifecycle", "ADD_OBJECT", 1)
	c.add(odhcpd)
	expect("odhcpd-lifecycle", "ADD_OBJECT", 2)
	c.units[0].id = 172019684
	c.seq = 3
	c.register("ubus.object.add")
	expect("odhcpd-lifecycle", "INVOKE", 4)
	c.find(c.units[1])
	expect("odhcpd-lifecycle", "LOOKUP", 5)
	c.units[1].id = 720408871
	c.subscribe(c.units[1], 1285004890)
	expect("odhcpd-lifecycle", "SUBSCRIBE", 6)
	c.found(&request{method: "dump", objid: 1285004890}, StatusOK)
	expect("odhcpd-lifecycle", "INVOKE", 7)

	c.seq, c.requests = 0, nil
	var w Writer
	w.BeginObject("")
	w.EndObject()
	c.Send("ubus.bad", &w)
	expect("event-forbidden", "INVOKE", 1)

	// A call that is answered later.
	u := c.units[2]
	u.id, u.methods = 3345724962, []Method{{Name: "slow"}}
	c.Handle(epoch, Input{b.link, find(t, "deferred-reply", got, "INVOKE", 2).bytes(t), nil})
	e := b.expect(Called)
	if e.Path != "lan6d" || e.Name != "slow" || e.User != "root" || e.Group != "root" || len(e.Args) != 0 {
		t.Errorf("called: %+v", e)
	}
	w.Reset()
	w.BeginObject("")
	w.Bool("late", true)
	w.EndObject()
	c.Reply(e, StatusOK, &w)
	octets := b.link.take(nil)
	want := append(find(t, "deferred-reply", sent, "DATA", 2).bytes(t), find(t, "deferred-reply", sent, "STATUS", 2).bytes(t)...)
	if !bytes.Equal(octets, want) {
		t.Errorf("reply:\n%x, want\n%x", octets, want)
	}

	// A notification of netifd that wants no answer, and the end of a call that fails.
	c.units[1].id = 815498258
	c.Handle(epoch, Input{b.link, find(t, "server-and-subscriber", got, "INVOKE", 63).bytes(t), nil})
	e = b.expect(Notified)
	if name, _ := e.Args.String("interface"); e.Path != "network.interface" || e.Name != "interface.update" || name != "wan6" {
		t.Errorf("notified: %+v", e)
	}
	b.none()
	u.id = 2975696901 // the object for events of the capture, as one that has no methods
	c.Handle(epoch, Input{b.link, find(t, "server-and-subscriber", got, "INVOKE", 73).bytes(t), nil})
	b.none()
	b.quiet()
}

// TestNoUbusd has nobody to connect to: that is told once, and tried again at longer and longer intervals.
func TestNoUbusd(t *testing.T) {
	b := newBench(t)
	next := b.pass(0)
	if e := b.expect(Disconnected); e.Err == nil || e.Err.Error() != "connect to ubusd at /nonexistent: no such file or directory" {
		t.Errorf("disconnected: %v", e.Err)
	}
	for _, want := range []time.Duration{firstPause, 2 * firstPause, 4 * firstPause, 8 * firstPause, 16 * firstPause, maxPause, maxPause, maxPause} {
		if got := next.Sub(b.now); got != want {
			t.Errorf("tries again after %v, want %v", got, want)
		}
		if n := b.pass(want - 1); !n.Equal(next) {
			t.Errorf("tried before its time, next at %v, want %v", n, next)
		}
		next = b.pass(1)
		b.quiet()
	}
	b.c.Invoke(b.now, "a", "b", nil, time.Second, 3)
	if e := b.expect(Answered); e.Tag != 3 || e.Status != StatusConnectionFailed || e.Path != "a" || e.Name != "b" {
		t.Errorf("answered: %+v", e)
	}
	if err := b.c.Notify("dhcp", "x", nil); err != nil || b.c.Subscribed("dhcp") || b.c.Connected() {
		t.Errorf("%v, subscribed %v, connected %v", err, b.c.Subscribed("dhcp"), b.c.Connected())
	}
	if err := b.c.Send("x", nil); err != nil {
		t.Error(err)
	}
	// One that was there is tried again soon.
	b.setUp()
	b.pass(time.Minute)
	b.c.Handle(b.now, Input{b.link, nil, errClosed})
	if e := b.expect(Disconnected); e.Err != errClosed {
		t.Errorf("disconnected: %v", e.Err)
	}
	if got := b.c.Tick(b.now).Sub(b.now); got != firstPause {
		t.Errorf("tries again after %v, want %v", got, firstPause)
	}
}

// TestMisbehaving has ubusd do what it should not.
func TestMisbehaving(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(b *bench)
		want error // for which the connection is given up
	}{
		{"no hello", func(b *bench) {
			b.link = newLink(b.c.inbox)
			b.c.link = b.link
			b.say(msgStatus, 0, 0, nil)
		}, errNoHello},
		{"a malformed hello", func(b *bench) {
			b.link = newLink(b.c.inbox)
			b.c.link = b.link
			b.c.Handle(b.now, Input{b.link, rawFrame(1, 2, 3, 4), nil})
		}, errNoHello},
		{"a second hello", func(b *bench) { b.setUp(); b.say(msgHello, 0, 1, nil) }, nil},
		{"malformed attributes", func(b *bench) { b.setUp(); b.c.Handle(b.now, Input{b.link, rawFrame(1, 2, 3, 4), nil}) }, nil},
		{"unknown type", func(b *bench) { b.setUp(); b.say(99, 1, 2, nil) }, nil},
		{"an answer that nobody asked for", func(b *bench) { b.setUp(); b.say(msgData, 99, 2, nil); b.say(msgStatus, 99, 2, nil) }, nil},
		{"object without id", func(b *bench) { b.connect(); b.status(b.one(msgAddObject), StatusOK) }, errNoAnswer},
		{"no answer", func(b *bench) { b.connect(); b.pass(answerTimeout) }, errNoAnswer},
		{"does not read", func(b *bench) {
			b.setUp()
			var w Writer
			w.BeginObject("")
			w.String("s", string(bytes.Repeat([]byte("x"), maxData/2)))
			w.EndObject()
			for range 5 {
				b.c.Send("x", &w)
			}
		}, errSlow},
		{"an old link's end", func(b *bench) {
			b.setUp()
			b.c.Handle(b.now, Input{newLink(b.c.inbox), nil, errClosed})
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			tt.do(b)
			if tt.want == nil {
				b.quiet()
				if b.c.link != b.link || !b.c.Connected() {
					t.Error("the connection was given up")
				}
				return
			}
			if e := b.expect(Disconnected); e.Err != tt.want {
				t.Errorf("disconnected: %v, want %v", e.Err, tt.want)
			}
			if b.c.link != nil || b.c.Connected() || len(b.c.requests) != 0 {
				t.Errorf("link %v, %d requests", b.c.link, len(b.c.requests))
			}
			if next := b.c.Tick(b.now); next.Sub(b.now) != firstPause {
				t.Errorf("tries again after %v", next.Sub(b.now))
			}
			b.connect() // and all begins anew
			b.one(msgAddObject)
			for _, u := range b.c.units {
				if u.id != 0 || u.target != 0 || u.busy != (u.role == listener) {
					t.Errorf("left from before: %+v", u.unitState)
				}
			}
		})
	}
}

// TestOwnMistakes has the program publish, call and notify what cannot be sent. Nothing is sent then.
func TestOwnMistakes(t *testing.T) {
	name := string(bytes.Repeat([]byte("n"), maxName+1))
	b := newBench(t)
	b.setUp()
	b.c.add(&unit{role: publisher, path: "x", methods: []Method{{Name: name}, {Name: "a", Args: []Arg{{name, ArgBool}}}}})
	b.none()
	b.c.register(string(bytes.Repeat([]byte("p"), 2*maxMessage)))
	b.none()
	var w Writer
	w.BeginObject("")
	w.String("s", string(bytes.Repeat([]byte("x"), maxData-9)))
	w.EndObject()
	if err := b.c.Send("e", &w); err != ErrTooLong { // as the event's name does not fit with it
		t.Errorf("%v, want %v", err, ErrTooLong)
	}
	b.none()
	b.call(b.c.units[2].id, "status", nil)
	if err := b.c.Reply(b.expect(Called), StatusOK, &w); err != nil {
		t.Error(err)
	}
	if list := b.frames(); len(list) != 2 || len(list[0].get(attrData, -1)) != maxData {
		t.Errorf("%d frames", len(list))
	}
}

// What package main writes replies with, for the bus as for the control channel, and reads arguments with.
var (
	_ interface {
		BeginObject(name string)
		EndObject()
		BeginArray(name string)
		EndArray()
		String(name, value string)
		Int32(name string, value int32)
		Int64(name string, value int64)
		Bool(name string, value bool)
	} = (*Writer)(nil)
	_ interface {
		Has(name string) bool
		Kind(name string) string
		String(name string) (string, bool)
		Strings(name string) ([]string, bool)
		Int(name string) (int64, bool)
		Bool(name string) (v, ok bool)
	} = Args(nil)
)
