package ubustest

import (
	"testing"

	"lan6d/openwrt/ubus"
)

// Netifd joins a bus as netifd does: with the object network.interface, whose method dump gives what interfaces writes
// into an array.
func Netifd(t testing.TB, path string, interfaces func(w *ubus.Writer)) *Peer {
	t.Helper()
	p := Join(t, ubus.Config{Path: path, Objects: []ubus.Object{
		{Path: "network.interface", Methods: []ubus.Method{{Name: "dump"}}},
		{Path: "network.interface.lan", Methods: []ubus.Method{{Name: "status"}}},
	}}, func(c *ubus.Client, e *ubus.Event) {
		if e.Kind == ubus.Called {
			c.Reply(e, ubus.StatusOK, Object(func(w *ubus.Writer) {
				w.BeginArray("interface")
				interfaces(w)
				w.EndArray()
			}))
		}
	})
	p.AwaitKind(ubus.Published, "network.interface")
	p.AwaitKind(ubus.Published, "network.interface.lan")
	return p
}
