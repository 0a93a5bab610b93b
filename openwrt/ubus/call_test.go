package ubus

import (
	"bytes"
	"testing"
	"time"
)

func TestCalls(t *testing.T) {
	b := newBench(t)
	b.setUp()
	dhcp := b.c.units[3]
	b.call(dhcp.id, "ipv6leases", nil)
	e := b.expect(Called)
	if e.Path != "dhcp" || e.Name != "ipv6leases" || e.User != "root" || e.Group != "wheel" {
		t.Errorf("called: %+v", e)
	}
	for _, tt := range []struct {
		name   string
		status Status
		w      *Writer
		data   bool
		want   Status
		err    error
	}{
		{"status alone", StatusOK, nil, false, StatusOK, nil},
		{"empty data", StatusOK, new(Writer), true, StatusOK, nil},
		{"refusal", StatusInvalidArgument, nil, false, StatusInvalidArgument, nil},
		{"refusal with data", StatusInvalidArgument, new(Writer), false, StatusInvalidArgument, nil},
		{"data too long", StatusOK, &Writer{err: ErrTooLong}, false, StatusSystemError, ErrTooLong},
	} {
		if err := b.c.Reply(e, tt.status, tt.w); err != tt.err {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.err)
		}
		list := b.frames()
		last := list[len(list)-1]
		if len(list) != map[bool]int{false: 1, true: 2}[tt.data] || last.kind != msgStatus || Status(last.number(attrStatus)) != tt.want {
			t.Errorf("%s: %+v", tt.name, list)
		}
		for _, m := range list {
			if m.seq != 5 || m.peer != 4711 || m.number(attrObjID) != dhcp.id {
				t.Errorf("%s: %+v", tt.name, m)
			}
		}
	}

	b.call(dhcp.id, "nosuch", nil)
	if m := b.one(msgStatus); Status(m.number(attrStatus)) != StatusMethodNotFound {
		t.Errorf("unknown method: %+v", m)
	}
	b.call(dhcp.id, "add_lease", func(w *buffer) { w.bytes(attrData, nested(40)) })
	if m := b.one(msgStatus); Status(m.number(attrStatus)) != StatusInvalidArgument {
		t.Errorf("malformed arguments: %+v", m)
	}
	b.call(4711, "add_lease", nil)
	b.none()
	b.quiet()

	b.call(dhcp.id, "add_lease", func(w *buffer) { w.bytes(attrNoReply, []byte{1}) })
	b.c.Reply(b.expect(Called), StatusOK, new(Writer))
	b.none()

	// Notifications, some of which want an answer, and an event, which does not.
	b.call(b.c.units[1].id, "interface.update", nil)
	b.expect(Notified)
	b.one(msgStatus)
	b.say(msgInvoke, 1, 0, func(w *buffer) { w.number(attrObjID, b.c.units[0].id); w.text(attrMethod, "test.a") })
	if e := b.expect(Heard); e.Name != "test.a" {
		t.Errorf("heard: %+v", e)
	}
	b.none()

	// A connection later nobody waits for the answer.
	b.c.Handle(b.now, Input{b.link, nil, errClosed})
	b.expect(Disconnected)
	b.connect()
	b.frames()
	b.c.Reply(e, StatusOK, nil)
	b.none()
	if got := b.c.Counters(); got.Calls != 2 || got.Malformed != 1 || got.Connects != 2 {
		t.Errorf("counters %+v", got)
	}
}

// invoker has a Client call netifd.
type invoker struct {
	*bench
	w Writer
}

func newInvoker(t *testing.T) *invoker {
	i := &invoker{bench: newBench(t)}
	i.setUp()
	i.w.BeginObject("")
	i.w.Int32("a", 1)
	i.w.EndObject()
	return i
}

// lookup begins a call, and returns what is sent first.
func (i *invoker) lookup(tag int) *message {
	i.t.Helper()
	i.c.Invoke(i.now, "network.interface", "dump", &i.w, time.Minute, tag)
	m := i.one(msgLookup)
	if m.text(attrObjPath) != "network.interface" {
		i.t.Fatalf("looks for %s", m.text(attrObjPath))
	}
	return m
}

// invoke begins a call, and returns what is sent second.
func (i *invoker) invoke(tag int) *message {
	i.t.Helper()
	i.grant(i.lookup(tag), 0x99)
	return i.one(msgInvoke)
}

// answered checks how the call ended.
func (i *invoker) answered(tag int, status Status) *Event {
	i.t.Helper()
	e := i.expect(Answered)
	if e.Tag != tag || e.Status != status || e.Path != "network.interface" || e.Name != "dump" {
		i.t.Fatalf("answered: %+v, want tag %d, %v", e, tag, status)
	}
	return e
}

func TestInvoke(t *testing.T) {
	i := newInvoker(t)
	m := i.invoke(1)
	if m.peer != 0x99 || m.number(attrObjID) != 0x99 || m.text(attrMethod) != "dump" || !bytes.Equal(m.get(attrData, -1), i.w.b) {
		t.Errorf("invokes %+v", m)
	}
	for _, data := range [][]byte{nested(40), one} { // the last counts
		i.say(msgData, m.seq, m.peer, func(w *buffer) { w.number(attrObjID, 0x99); w.bytes(attrData, data) })
	}
	i.quiet()
	i.status(m, StatusOK)
	if n, _ := i.answered(1, StatusOK).Args.Int("a"); n != 1 {
		t.Errorf("answered %d", n)
	}
	i.status(m, StatusOK) // twice
	i.quiet()

	i.c.Invoke(i.now, "network.interface", "", nil, time.Second, 7)
	i.grant(i.one(msgLookup), 0x99)
	if e := i.expect(Answered); e.Tag != 7 || e.Status != StatusOK || e.Name != "" {
		t.Errorf("looked up: %+v", e)
	}
	i.none()
}

// TestInvokeFails has calls fail in all ways there are.
func TestInvokeFails(t *testing.T) {
	i := newInvoker(t)
	i.status(i.lookup(2), StatusNotFound)
	i.answered(2, StatusNotFound)
	i.status(i.lookup(3), StatusOK) // there, but none of it is for us
	i.answered(3, StatusNotFound)
	i.status(i.invoke(4), StatusPermissionDenied)
	i.answered(4, StatusPermissionDenied)

	m := i.invoke(5)
	i.say(msgData, m.seq, m.peer, func(w *buffer) { w.bytes(attrData, nested(40)) })
	i.status(m, StatusOK)
	if e := i.answered(5, StatusParseError); e.Args != nil {
		t.Errorf("malformed data are given as %x", e.Args)
	}

	m = i.lookup(6)
	i.pass(30*time.Second - 1)
	i.grant(m, 0x99) // the owner goes, and nobody answers
	m = i.one(msgInvoke)
	if next := i.pass(30 * time.Second); next.Sub(i.now) != 1 {
		t.Errorf("due in %v", next.Sub(i.now))
	}
	i.quiet()
	i.pass(1)
	i.answered(6, StatusTimeout)
	i.status(m, StatusOK)
	i.quiet()

	i.c.Invoke(i.now, string(make([]byte, maxName+1)), "dump", &i.w, time.Second, 9)
	if e := i.expect(Answered); e.Status != StatusInvalidArgument {
		t.Errorf("a path too long: %+v", e)
	}
	i.w.err = ErrTooLong
	i.c.Invoke(i.now, "network.interface", "dump", &i.w, time.Second, 8)
	i.answered(8, StatusInvalidArgument)
	i.none()
	if got := i.c.Counters(); got.Timeouts != 1 || got.Malformed != 1 {
		t.Errorf("counters %+v", got)
	}
}

// TestInvokeMuch calls more often than is answered, and then the connection is lost.
func TestInvokeMuch(t *testing.T) {
	i := newInvoker(t)
	for n := range maxRequests + 1 {
		i.c.Invoke(i.now, "network.interface", "dump", nil, time.Second, n)
	}
	i.answered(maxRequests, StatusNoMemory)
	i.c.Handle(i.now, Input{i.link, nil, errClosed})
	for n := range maxRequests {
		if e := i.c.Next(); e.Kind != Answered || e.Tag != n || e.Status != StatusConnectionFailed {
			t.Fatalf("event %d: %+v", n, e)
		}
	}
	i.expect(Disconnected)
}

// TestSequence has the sequence numbers wrap, and pass one that still waits for its answer.
func TestSequence(t *testing.T) {
	b := newBench(t)
	b.setUp()
	b.c.Invoke(b.now, "a", "", nil, time.Hour, 1)
	waits := b.one(msgLookup).seq
	for range 1 << 16 {
		b.c.Send("x", nil)
		if m := b.one(msgInvoke); m.seq == waits {
			t.Fatalf("%d is used again", m.seq)
		}
	}
}

func TestNotify(t *testing.T) {
	b := newBench(t)
	b.setUp()
	var w Writer
	w.BeginObject("")
	w.Int32("a", 1)
	w.EndObject()
	notify := func() {
		t.Helper()
		if err := b.c.Notify("dhcp", "dhcp.lease6", &w); err != nil {
			t.Error(err)
		}
	}
	notify()
	b.none()
	active := func(v byte) {
		b.say(msgNotify, 1, 0, func(w *buffer) { w.number(attrObjID, b.c.units[3].id); w.bytes(attrActive, []byte{v}) })
		if b.c.Subscribed("dhcp") != (v == 1) || b.c.Subscribed("lan6d") || b.c.Subscribed("network.interface") {
			t.Errorf("subscribed to dhcp %v, lan6d %v", b.c.Subscribed("dhcp"), b.c.Subscribed("lan6d"))
		}
	}
	active(1)
	notify()
	m := b.one(msgNotify)
	if m.number(attrObjID) != b.c.units[3].id || m.peer != b.c.units[3].id || m.text(attrMethod) != "dhcp.lease6" ||
		!m.flag(attrNoReply) || !bytes.Equal(m.get(attrData, -1), w.b) {
		t.Errorf("notifies %+v", m)
	}
	b.status(m, StatusInvalidArgument)
	if err := b.c.Notify("dhcp", string(make([]byte, maxName+1)), nil); err != ErrTooLong {
		t.Errorf("%v, want %v", err, ErrTooLong)
	}
	if err := b.c.Notify("dhcp", "a", &Writer{err: ErrTooLong}); err != ErrTooLong {
		t.Errorf("%v, want %v", err, ErrTooLong)
	}
	b.none()
	active(0)
	notify()
	b.none()

	if err := b.c.Send("dhcp.lease6", &w); err != nil {
		t.Error(err)
	}
	m = b.one(msgInvoke)
	args, _ := ParseArgs(m.get(attrData, -1))
	id, _ := args.String("id")
	if n, ok := args.Elements("data").Int("a"); m.peer != 1 || m.text(attrMethod) != "send" || id != "dhcp.lease6" || !ok || n != 1 {
		t.Errorf("sends %+v", m)
	}
	b.status(m, StatusPermissionDenied)
	if err := b.c.Send("a", &Writer{err: ErrTooLong}); err != ErrTooLong {
		t.Errorf("%v, want %v", err, ErrTooLong)
	}
	if got := b.c.Counters(); got.Refused != 2 {
		t.Errorf("counters %+v", got)
	}
	b.none()
	b.quiet()
}
