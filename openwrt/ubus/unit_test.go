package ubus

import (
	"testing"
	"time"
)

// TestSuccession has somebody else own a path: it is taken when he has left for a while, and not while he starts anew.
func TestSuccession(t *testing.T) {
	b := newBench(t)
	b.setUp("dhcp")
	if got := b.c.Tick(b.now).Sub(b.now); got != retryInterval {
		t.Errorf("tries again after %v, want %v", got, retryInterval)
	}
	b.event("ubus.object.remove", "other", 1)
	b.event("ubus.object.remove", "dhcp", 1)
	b.pass(successionPause - 1)
	b.none()
	b.event("ubus.object.add", "dhcp", 2) // he is back
	b.pass(1)
	b.none()
	b.event("ubus.object.remove", "dhcp", 2)
	b.pass(successionPause)
	m := b.one(msgAddObject)
	if m.text(attrObjPath) != "dhcp" {
		t.Errorf("publishes %s", m.text(attrObjPath))
	}
	b.event("ubus.object.add", "dhcp", 55) // ubusd tells us of our own, before it answers
	b.grant(m, 55)
	if e := b.expect(Published); e.Path != "dhcp" {
		t.Errorf("published %s", e.Path)
	}
	b.event("ubus.object.remove", "dhcp", 2)
	b.pass(time.Hour)
	b.none()
}

// TestRefusedAgain checks that a refusal is told once, and what is refused tried again now and then: access rules may
// have changed.
func TestRefusedAgain(t *testing.T) {
	b := newBench(t)
	b.connect()
	b.grant(b.one(msgAddObject), 1)
	list := b.frames()
	b.status(list[0], StatusPermissionDenied)
	if e := b.expect(Refused); e.Path != "ubus.object.add" || e.Status != StatusPermissionDenied {
		t.Errorf("refused: %+v", e)
	}
	b.status(list[1], StatusOK)
	b.status(list[2], StatusOK)
	b.status(list[4], StatusInvalidArgument)
	if e := b.expect(Refused); e.Path != "lan6d" || e.Status != StatusInvalidArgument {
		t.Errorf("refused: %+v", e)
	}
	b.grant(list[3], 2)
	b.status(b.one(msgLookup), StatusOK) // nor may we see what we are to follow
	b.none()
	b.grant(list[5], 3)
	b.expect(Published)
	for range 3 {
		b.pass(retryInterval)
		list = b.frames()
		if len(list) != 2 || list[0].kind != msgLookup || list[1].text(attrObjPath) != "lan6d" {
			t.Fatalf("tries again %+v", list)
		}
		b.grant(list[0], 0xfff0)
		b.status(b.one(msgSubscribe), StatusNotFound)
		b.status(list[1], StatusInvalidArgument)
		b.quiet()
	}
	b.pass(retryInterval)
	list = b.frames()
	b.grant(list[0], 0xfff0)
	b.status(b.one(msgSubscribe), StatusOK)
	b.expect(Followed)
	b.grant(list[1], 4)
	b.expect(Published)
}

// TestFollowAgain has the followed object go and come, in all orders in which that can be heard of.
func TestFollowAgain(t *testing.T) {
	const path = "network.interface"
	b := newBench(t)
	b.setUp()
	u := b.c.units[1]
	gone := func() {
		t.Helper()
		b.say(msgUnsubscribe, 0, 0, func(w *buffer) { w.number(attrObjID, u.id); w.number(attrTarget, u.target) })
		if e := b.expect(Unfollowed); e.Path != path {
			t.Errorf("unfollowed %s", e.Path)
		}
	}
	follows := func(id uint32) {
		t.Helper()
		if m := b.one(msgSubscribe); m.number(attrTarget) == id {
			b.status(m, StatusOK)
			b.expect(Followed)
		} else {
			t.Fatalf("subscribes to %x, want %x", m.number(attrTarget), id)
		}
	}
	gone()
	b.event("ubus.object.add", path+".lan", 10)
	b.none()
	b.event("ubus.object.add", path, 0x80000011)
	follows(0x80000011)
	b.event("ubus.object.add", path, 0x80000011) // what we know
	b.none()

	b.event("ubus.object.add", path, 12) // that the old one is gone was lost
	follows(12)

	gone() // and nobody tells that there is a new one
	b.pass(retryInterval)
	b.grant(b.one(msgLookup), 13)
	follows(13)

	gone() // the new one is gone before we subscribe to it, and there is a newer one
	b.event("ubus.object.add", path, 14)
	m := b.one(msgSubscribe)
	b.event("ubus.object.add", path, 15)
	b.none()
	b.status(m, StatusNotFound)
	b.grant(b.one(msgLookup), 15)
	follows(15)

	gone() // it comes while we look for it
	b.pass(retryInterval)
	m = b.one(msgLookup)
	b.event("ubus.object.add", path, 16)
	b.none()
	b.status(m, StatusNotFound)
	b.grant(b.one(msgLookup), 16)
	follows(16)

	b.say(msgUnsubscribe, 0, 0, func(w *buffer) { w.number(attrObjID, u.id); w.number(attrTarget, 14) }) // an old one
	b.quiet()
	b.pass(time.Hour)
	b.none()
}
