package server_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/lease"
	"lan6d/dhcpv6/server"
)

func (l *lab) clock() lease.Clock {
	return lease.Clock{Boot: [16]byte{1}, Since: int64(l.now.Sub(epoch)) + int64(time.Hour), Wall: l.now.UnixNano()}
}

// records are all records, and changes those since the last call.
func (l *lab) records() []byte { return l.Table().AppendAll(nil, l.Table().At(l.now), l.clock()) }
func (l *lab) changes() []byte { return l.Table().AppendChanges(nil, l.Table().At(l.now), l.clock()) }

// restart ends the server's process and begins another one with the records.
func (l *lab) restart(content []byte, wall time.Time) *lab {
	l.Helper()
	next := &lab{TB: l.TB, setup: l.setup, now: l.now, buf: l.buf}
	next.Server = server.New(l.now, server.Config{})
	clock := l.clock()
	clock.Wall = wall.UnixNano()
	if err := next.Restore(content, l.now, clock); err != nil {
		l.Error(err)
	}
	next.SetConfig(l.now, l.setup.Config)
	next.SetLinks(l.now, l.setup.Links)
	if err := next.CheckClients(); err != nil {
		l.Error(err)
	}
	return next
}

// Clients keep their keys and stay reachable over a restart, from a whole copy and from one with changes behind it.
func TestRestartKeepsClients(t *testing.T) {
	for _, whole := range []bool{true, false} {
		l := start(t, reconfigures)
		content := l.records()
		l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
		relayed := multicast(relay(netip.MustParseAddr("2001:db8:1::9"), message(dhcpv6.InformationRequest, duid(2), acceptOption()),
			option(dhcpv6.OptionInterfaceID, []byte("eth0"))))
		if _, err := l.handle(relayed); err != nil {
			t.Fatal(err)
		}
		l.wantKey(3, dhcpv6.Request, duid(3), na(1), acceptOption())
		content = append(content, l.changes()...)
		l.wantKey(0, dhcpv6.Request, duid(3), na(1))
		if content = append(content, l.changes()...); whole {
			content = l.records()
		}
		l = l.restart(content, l.now)
		l.wantClients(1, 1, 0)
		if n, err := l.Reconfigure(l.now, "", nil, 0); n != 2 || err != nil {
			t.Fatalf("%d clients, %v", n, err)
		}
		for i, r := range l.pull() {
			want := []dhcpv6.MessageType{dhcpv6.Renew, dhcpv6.InformationRequest}[i]
			if r.asks != want || !r.authentic(number(uint32(i+1))) || len(r.Payload) > len(r.message) != (i == 1) {
				t.Errorf("%v sent to %v: %x", r.asks, r.Peer, r.Payload)
			}
		}
		if got := l.keyOf(dhcpv6.Request, duid(2), na(1), acceptOption()); got != 2 {
			t.Errorf("key %d after the restart, was 2", got)
		}
	}
}

// Section 20.3: whatever is restored, also a copy from before the last messages, and whatever the clock says, the values
// go on growing.
func TestReplayGrows(t *testing.T) {
	l := start(t, reconfigures)
	l = l.restart(nil, l.now)
	last := uint64(0)
	check := func(when string) {
		t.Helper()
		l.Reconfigure(l.now, "", nil, 0)
		for range 3 {
			sent := l.pull()
			if len(sent) == 0 {
				t.Errorf("%s: nothing sent", when)
			}
			for _, r := range sent {
				if r.replay <= last {
					t.Errorf("%s: replay value %x after %x", when, r.replay, last)
				}
				last = r.replay
			}
			l.wait(1 << 3 * time.Second)
		}
	}
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	l.wantKey(2, dhcpv6.InformationRequest, duid(2), acceptOption())
	content := l.records() // before anything was sent
	check("at first")
	l = l.restart(content, l.now)
	content = l.records()
	check("after a restart with a copy from before")
	l = l.restart(content, epoch)
	content = l.records()
	check("with the clock set back")
	l = l.restart(content, time.Unix(60, 0))
	content = l.records()
	check("with no clock")
	l = l.restart(content, time.Unix(-60, 0))
	check("with a clock before 1970")
	l = l.restart(l.records(), l.now.Add(1000*time.Hour))
	check("with a clock far ahead")
	l = l.restart(content, l.now.Add(1001*time.Hour))
	check("with an old copy, but the clock right")
}

// A client that renews again and again is noted once: records would grow without end.
func TestNotesOnlyOfChanges(t *testing.T) {
	l := start(t, reconfigures)
	l.wantKey(1, dhcpv6.InformationRequest, duid(1), acceptOption())
	if !bytes.Contains(l.changes(), []byte("client/lan\x00"+string(duid(1)))) {
		t.Error("the client is not noted")
	}
	for range 3 {
		l.wantKey(1, dhcpv6.InformationRequest, duid(1), acceptOption())
		l.Reconfigure(l.now, "", nil, 0)
		l.pull()
		l.reconfigure(func(*setup) {})
		if b := l.changes(); len(b) > 0 {
			t.Errorf("noted without need: %x", b)
		}
	}
	l.wantKey(1, dhcpv6.Request, duid(1), na(1), acceptOption())
	if bytes.Contains(l.changes(), []byte("client/")) {
		t.Error("noted although only its bindings have changed")
	}
}

func TestNotedDUID(t *testing.T) {
	l := start(t)
	if got := l.NotedDUID(); !bytes.Equal(got, ourID) {
		t.Errorf("noted %v", got)
	}
	other := server.New(epoch, server.Config{})
	if got := other.NotedDUID(); got != nil {
		t.Errorf("noted at first %v", got)
	}
	other.Restore(l.records(), epoch, l.clock())
	if got := other.NotedDUID(); !bytes.Equal(got, ourID) {
		t.Errorf("restored %v", got)
	}
	other.SetConfig(epoch, server.Config{DUID: duid(77)})
	if got := other.NotedDUID(); !bytes.Equal(got, duid(77)) {
		t.Errorf("noted later %v", got)
	}
	// What is configured counts for more than what is restored.
	other.Restore(l.records(), epoch, l.clock())
	if got := other.NotedDUID(); !bytes.Equal(got, duid(77)) {
		t.Errorf("noted at last %v", got)
	}
}

// notes are records of notes alone.
func notes(names ...string) []byte {
	table := lease.NewTable(epoch, lease.Limits{})
	for i := 0; i < len(names); i += 2 {
		table.SetNote(names[i], []byte(names[i+1]))
	}
	return table.AppendAll(nil, 0, lease.Clock{})
}

const (
	goodName = "client/lan\x00\x00\x03\x00\x01\x02\x00\x00\x00\x00\x01"
	goodNote = "\x01KEYKEYKEYKEYKEY!\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x02\x22\x03lan"
)

// A note that is damaged is no client, and does no other harm.
func TestDamagedNotes(t *testing.T) {
	relayHead := "\x0d\x00" + strings.Repeat("\x00", 32)
	tests := []struct {
		what, name, value string
		want              int
	}{
		{"good", goodName, goodNote, 1},
		{"good, relayed", goodName, goodNote + relayHead + "\x00\x12\x00\x01x\x00\x09\xff\xff", 1},
		{"of no link", "client/lan", goodNote, 0},
		{"short DUID", "client/lan\x00\x01\x02", goodNote, 0},
		{"long DUID", "client/lan\x00" + strings.Repeat("x", 131), goodNote, 0},
		{"another version", goodName, "\x02" + goodNote[1:], 0},
		{"multicast", goodName, strings.Replace(goodNote, "\xfe\x80", "\xff\x02", 1), 0},
		{"not link-local", goodName, strings.Replace(goodNote, "\xfe\x80", "\x20\x01", 1), 0},
		{"unspecified", goodName, strings.Replace(goodNote, "\xfe\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02", strings.Repeat("\x00", 16), 1) + relayHead + "\x00\x09\x00\x00", 0},
		{"port 0", goodName, strings.Replace(goodNote, "\x02\x22", "\x00\x00", 1), 0},
		{"port of a server", goodName, strings.Replace(goodNote, "\x02\x22", "\x02\x23", 1), 0},
		{"interface without a name", goodName, strings.TrimSuffix(goodNote, "\x03lan") + "\x00", 0},
		{"relay header cut off", goodName, goodNote + relayHead[:20], 0},
		{"no relay message", goodName, goodNote + relayHead + "\x00\x12\x00\x01x", 0},
		{"option too long", goodName, goodNote + relayHead + "\x00\x12\x00\x09x\x00\x09\x00\x00", 0},
		{"a Relay-forward", goodName, goodNote + strings.Replace(relayHead, "\x0d", "\x0c", 1) + "\x00\x09\x00\x00", 0},
		{"ten relays", goodName, goodNote + strings.Repeat(relayHead+"\x00\x09\x00\x00", 10), 0},
		{"a chain too long", goodName, goodNote + relayHead + "\x00\x12\x04\x00" + strings.Repeat("x", 1024) + "\x00\x09\x00\x00", 0},
	}
	for n := range goodNote {
		tests = append(tests, struct {
			what, name, value string
			want              int
		}{fmt.Sprint("cut off at ", n), goodName, goodNote[:n], 0})
	}
	for _, tt := range tests {
		l := start(t, reconfigures)
		l = l.restart(notes(tt.name, tt.value, "run", "damaged", "duid", "x", "another's", "y"), l.now)
		if _, stateless := l.Clients(); stateless != tt.want {
			t.Errorf("%s: %d clients, want %d", tt.what, stateless, tt.want)
		}
		l.Reconfigure(l.now, "", nil, 0)
		for _, r := range l.pull() {
			if !r.authentic([]byte("KEYKEYKEYKEYKEY!")) {
				t.Errorf("%s: sent %x", tt.what, r.message)
			}
		}
		if string(l.Table().Note("another's")) != "y" {
			t.Errorf("%s: somebody else's note is gone", tt.what)
		}
	}
}

// A note of the run that says it is the last one is not counted past.
func TestLastRun(t *testing.T) {
	l := start(t, reconfigures)
	l = l.restart(notes("run", "\xff\xff\xff\xff", goodName, goodNote), l.now)
	l.Reconfigure(l.now, "", nil, 0)
	if sent := l.pull(); len(sent) != 1 || sent[0].replay>>32 != 0xffffffff {
		t.Errorf("sent %v", sent)
	}
}

// FuzzClientNote restores a note of a client that may say anything.
func FuzzClientNote(f *testing.F) {
	f.Add([]byte(goodName), []byte(goodNote))
	f.Add([]byte(goodName), []byte(goodNote+"\x0d\x00"+strings.Repeat("\x00", 32)+"\x00\x12\x00\x01x\x00\x09\xff\xff"))
	f.Fuzz(func(t *testing.T, name, value []byte) {
		if len(name)+len(value) > 50_000 {
			return
		}
		l := start(t, reconfigures)
		l = l.restart(notes("client/"+string(name), string(value), string(name), string(value)), l.now)
		l.Reconfigure(l.now, "", nil, 0)
		l.pull()
		l.ask(message(dhcpv6.Request, duid(1), na(1), acceptOption()))
		l = l.restart(l.records(), l.now)
	})
}

// What was given back is given back after a crash, also when the same batch of datagrams had more of the client's: an offer
// is not recorded, but the end of what was promised is.
func TestReleasedAndOfferedAtOnce(t *testing.T) {
	l := start(t)
	records := l.records()
	l.request(dhcpv6.Request, duid(1), na(1), pd(1))
	records = append(records, l.changes()...)
	l.request(dhcpv6.Release, duid(1), na(1, "2001:db8:1::e71"), pd(1, "2001:db8:1:c4::/62"))
	l.request(dhcpv6.Solicit, duid(1), na(1), pd(1))
	again := l.restart(append(records, l.changes()...), l.now)
	if _, bound := states(again); bound != 0 {
		t.Errorf("%d bindings are bound again", bound)
	}
	if n := len(again.kept()); n != 2 {
		t.Errorf("%d bindings are remembered, want 2", n)
	}
}
