package ubus

import (
	"bytes"
	"testing"
	"time"
)

var epoch = time.Unix(1e9, 0)

// bench is a Client with the other end of its link in the hands of the test.
type bench struct {
	t    testing.TB
	c    *Client
	link *link
	now  time.Time
	ids  uint32
}

func newBench(t testing.TB) *bench {
	c := New(epoch, Config{
		Path:   "/nonexistent",
		Follow: []string{"network.interface"}, Listen: []string{"test.*"},
		Objects: []Object{
			{Path: "lan6d", Methods: []Method{{Name: "status"}}},
			{Path: "dhcp", Methods: []Method{{Name: "ipv6leases"}, {Name: "add_lease", Args: []Arg{{"duid", ArgArray}}}}},
		},
	})
	return &bench{t: t, c: c, now: epoch}
}

// connect gives the Client a link, and says hello.
func (b *bench) connect() {
	b.link = newLink(b.c.inbox)
	b.c.link = b.link
	b.say(msgHello, 0, 77, nil)
	b.expect(Connected)
}

// id sets the id of the first object that is published.
func (b *bench) id(id uint32) { b.c.units[2].id = id }

// say has ubusd send a frame.
func (b *bench) say(kind uint8, seq uint16, peer uint32, attrs func(w *buffer)) {
	var w buffer
	start := w.frame(kind, seq, peer)
	if attrs != nil {
		attrs(&w)
	}
	w.end(start)
	b.c.Handle(b.now, Input{b.link, w.b, nil})
}

// status ends a request.
func (b *bench) status(m *message, status Status) {
	b.say(msgStatus, m.seq, m.peer, func(w *buffer) { w.number(attrStatus, uint32(status)) })
}

// grant ends a request with an id and StatusOK.
func (b *bench) grant(m *message, id uint32) {
	b.say(msgData, m.seq, m.peer, func(w *buffer) { w.number(attrObjID, id) })
	b.status(m, StatusOK)
}

// frames returns what the Client has sent since the last time.
func (b *bench) frames() (list []*message) {
	b.t.Helper()
	octets := b.link.take(nil)
	b.link.take(octets) // they count as written
	for r := bytes.NewReader(octets); r.Len() > 0; {
		frame, err := readFrame(r)
		m := new(message)
		if err != nil || !m.parse(frame) {
			b.t.Fatalf("sent what is no frame: %v in %x", err, octets)
		}
		list = append(list, m)
	}
	return list
}

// one returns the only frame that the Client has sent.
func (b *bench) one(kind uint8) *message {
	b.t.Helper()
	list := b.frames()
	if len(list) != 1 || list[0].kind != kind {
		b.t.Fatalf("sent %d frames: %+v, want one of type %d", len(list), list, kind)
	}
	return list[0]
}

// none checks that the Client has sent nothing.
func (b *bench) none() {
	b.t.Helper()
	if list := b.frames(); len(list) != 0 {
		b.t.Fatalf("sent %+v, want nothing", list)
	}
}

// expect returns the only event that has happened.
func (b *bench) expect(kind EventKind) *Event {
	b.t.Helper()
	e := b.c.Next()
	if e == nil || e.Kind != kind {
		b.t.Fatalf("event %+v, want kind %d", e, kind)
	}
	b.quiet()
	return e
}

// quiet checks that nothing has happened.
func (b *bench) quiet() {
	b.t.Helper()
	if e := b.c.Next(); e != nil {
		b.t.Fatalf("event %+v, want none", e)
	}
}

// pass lets time pass.
func (b *bench) pass(d time.Duration) (next time.Time) {
	b.now = b.now.Add(d)
	return b.c.Tick(b.now)
}

// setUp has all that the Client wants granted but what refuse says: by the path.
func (b *bench) setUp(refuse ...string) {
	b.t.Helper()
	b.connect()
	b.grant(b.one(msgAddObject), b.nextID())
	for list := b.frames(); len(list) > 0; list = b.frames() {
		for _, m := range list {
			b.settle(m, refuse)
		}
	}
	for b.c.Next() != nil {
	}
}

func (b *bench) settle(m *message, refuse []string) {
	for _, path := range refuse {
		if m.text(attrObjPath) == path {
			b.status(m, StatusInvalidArgument)
			return
		}
	}
	switch m.kind {
	case msgAddObject, msgLookup:
		b.grant(m, b.nextID())
	default:
		b.status(m, StatusOK)
	}
}

func (b *bench) nextID() uint32 {
	b.ids++
	return 0xf0000000 + b.ids
}

// event has ubusd tell of an object.
func (b *bench) event(name, path string, id uint32) {
	var data Writer
	data.BeginObject("")
	data.Int32("id", int32(id))
	data.String("path", path)
	data.EndObject()
	b.say(msgInvoke, 9, 0, func(w *buffer) {
		w.number(attrObjID, b.c.units[0].id)
		w.text(attrMethod, name)
		w.bytes(attrData, data.b)
	})
}

// call has somebody call a method.
func (b *bench) call(id uint32, method string, attrs func(w *buffer)) {
	b.say(msgInvoke, 5, 4711, func(w *buffer) {
		w.number(attrObjID, id)
		w.text(attrMethod, method)
		w.text(attrUser, "root")
		w.text(attrGroup, "wheel")
		if attrs != nil {
			attrs(w)
		} else {
			w.bytes(attrData, nil)
		}
	})
}
