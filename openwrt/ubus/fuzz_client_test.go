package ubus

import (
	"bytes"
	"testing"
	"time"
)

// FuzzClient hands a Client whatever frames there are. It does not panic, what it sends is well formed, and it neither
// keeps requests nor makes events without bound.
func FuzzClient(f *testing.F) {
	for _, c := range captures(f) {
		var stream []byte
		for _, frame := range c.Frames {
			if frame.Conn == 1 && frame.Dir == "ubusd>client" && frame.Type != "HELLO" {
				stream = append(stream, frame.bytes(f)...)
			}
		}
		f.Add(stream)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		b := newBench(t)
		b.connect()
		b.id(1511604134) // of the captures
		now := epoch
		for r := bytes.NewReader(stream); ; {
			frame, err := readFrame(r)
			b.c.Handle(now, Input{b.link, frame, err})
			for e := b.c.Next(); e != nil; e = b.c.Next() {
				if e.Kind == Called {
					b.c.Reply(e, StatusOK, nil)
				}
			}
			b.frames()
			if len(b.c.requests) > 32 {
				t.Fatalf("%d requests", len(b.c.requests))
			}
			if err != nil || b.c.link == nil {
				return
			}
			now = now.Add(time.Second)
			b.c.Tick(now)
			if b.c.link != b.link {
				b.c.Close() // there is no ubusd to connect to
				return
			}
		}
	})
}
