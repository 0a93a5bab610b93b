package netnstest

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

func TestVeth(t *testing.T) {
	lan := Veth(t, "lan0")
	lan.Here.AddAddr(t, "lan0", "2001:db8::1/64")
	lan.Peer.AddAddr(t, "eth0", "2001:db8::2/64")

	if lan.Here.Ifindex(t, "lan0") == 0 || lan.Peer.Ifindex(t, "eth0") == 0 {
		t.Error("no index")
	}
	if got := lan.Peer.Ifindex(t, "lan0"); got != 0 {
		t.Errorf("lan0 has index %d in the peer's namespace", got)
	}
	var names []string
	lan.Peer.Do(func() {
		ifs, err := net.Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range ifs {
			names = append(names, i.Name)
		}
	})
	if got := strings.Join(names, " "); got != "lo eth0" {
		t.Errorf("interfaces of the peer: %q", got)
	}
	checkReachable(t, lan.Peer, lan.Here, "2001:db8::1")
}

// checkReachable connects from one namespace to an address of another.
func checkReachable(t *testing.T, from, to *NS, address string) {
	t.Helper()
	var l net.Listener
	var err error
	to.Do(func() { l, err = net.Listen("tcp6", "["+address+"]:0") })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	from.Do(func() {
		c, err := net.DialTimeout("tcp6", l.Addr().String(), 2*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	})
}

func TestDoRestores(t *testing.T) {
	ns := New(t)
	before, _ := os.Readlink("/proc/self/ns/net")
	done := make(chan struct{})
	go func() {
		defer close(done)
		ns.Do(func() {
			if within, _ := os.Readlink("/proc/thread-self/ns/net"); within == before {
				t.Error("Do did not enter the namespace")
			}
		})
		if after, _ := os.Readlink("/proc/thread-self/ns/net"); after != before {
			t.Errorf("after Do in %s, not %s", after, before)
		}
	}()
	<-done
}

func TestLinkBetween(t *testing.T) {
	a, b := New(t), New(t)
	Link(t, a, "x", b, "y")
	a.AddAddr(t, "x", "fd00::1/64")
	b.AddAddr(t, "y", "fd00::2/64")
	checkReachable(t, a, b, "fd00::2")
}

func TestHide(t *testing.T) {
	t.Run("hidden", func(t *testing.T) {
		Hide(t, "/etc/resolv.conf")
		Hide(t, "/run")
		if err := os.WriteFile("/etc/resolv.conf", []byte("here only\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir("/run"); err != nil || len(entries) != 0 {
			t.Errorf("/run holds %v, %v", entries, err)
		}
	})
	if b, _ := os.ReadFile("/etc/resolv.conf"); string(b) == "here only\n" {
		t.Error("/etc/resolv.conf is still hidden")
	}
}

func TestPrivateCommand(t *testing.T) {
	file := t.TempDir() + "/hosts"
	if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := New(t).PrivateCommand([]string{"/run", file + ":/etc/hosts"}, "sh", "-c", "ls /run; cat /etc/hosts").CombinedOutput()
	if err != nil || string(out) != "mine" {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestStartKills(t *testing.T) {
	cmd := New(t).Command("sleep", "1000")
	t.Run("started", func(t *testing.T) { Start(t, cmd) })
	if cmd.ProcessState == nil {
		t.Error("still runs")
	}
}
