package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6"
	"lan6d/netif"
)

func TestLockState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	first, err := lockState(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := lockState(dir); err == nil || !strings.Contains(err.Error(), "lan6d is already running with process id ") {
		t.Errorf("a second instance: %v", err)
	}
	first.Close()
	second, err := lockState(dir)
	if err != nil {
		t.Fatalf("after the first ended: %v", err)
	}
	second.Close()
}

func TestLockStateCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lockState(filepath.Join(file, "state")); err == nil || !strings.Contains(err.Error(), "-d DIR names another") {
		t.Errorf("got %v", err)
	}
}

var ethernet = []netif.Link{
	{Name: "lo", Type: unix.ARPHRD_LOOPBACK, HardwareAddr: make([]byte, 6)},
	{Name: "br-lan", Type: unix.ARPHRD_ETHER, HardwareAddr: []byte{2, 0, 0, 0, 0, 0x2a}},
}

func TestServerDUIDIsKept(t *testing.T) {
	dir := t.TempDir()
	first, err := serverDUID(dir, nil, ethernet)
	if err != nil || first.String() != "0003000102000000002a" {
		t.Fatalf("got %v, %v", first, err)
	}
	again, err := serverDUID(dir, nil, nil)
	if err != nil || again.String() != first.String() {
		t.Errorf("another time: %v, %v", again, err)
	}
}

func TestServerDUIDWithoutEthernet(t *testing.T) {
	duid, err := serverDUID(t.TempDir(), nil, ethernet[:1])
	if err != nil || duid.Type() != dhcpv6.DUIDUUID || len(duid) != 18 {
		t.Errorf("got %v, %v", duid, err)
	}
}

// TestServerDUIDNoted: without its file, the DUID that the clients know is kept.
func TestServerDUIDNoted(t *testing.T) {
	dir := t.TempDir()
	noted := dhcpv6.DUID{0, 3, 0, 1, 2, 0, 0, 0, 0, 0x77}
	if duid, err := serverDUID(dir, noted, ethernet); err != nil || duid.String() != noted.String() {
		t.Errorf("got %v, %v", duid, err)
	}
	if again, err := serverDUID(dir, nil, ethernet); err != nil || again.String() != noted.String() {
		t.Errorf("another time: %v, %v", again, err)
	}
}

func TestServerDUIDBadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "server.duid")
	if err := os.WriteFile(path, []byte("not hexadecimal\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	duid, err := serverDUID(dir, nil, ethernet)
	if err == nil || !strings.Contains(err.Error(), "set aside as "+path+".bad") {
		t.Errorf("error %v", err)
	}
	if duid.String() != "0003000102000000002a" {
		t.Errorf("DUID %v", duid)
	}
	if text, err := os.ReadFile(path + ".bad"); err != nil || string(text) != "not hexadecimal\n" {
		t.Errorf("what was set aside: %q, %v", text, err)
	}
	if again, err := serverDUID(dir, nil, nil); err != nil || again.String() != duid.String() {
		t.Errorf("another time: %v, %v", again, err)
	}
}

func TestServerDUIDCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	duid, err := serverDUID(filepath.Join(file, "state"), nil, ethernet)
	if err == nil || duid.String() != "0003000102000000002a" {
		t.Errorf("got %v, %v: it must be usable all the same, and the error told", duid, err)
	}
}
