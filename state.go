package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/netif"
	"lan6d/openwrt"
)

// lockState makes the state directory and takes it for this process, as long as the file returned is open.
func lockState(dir string) (*os.File, error) {
	if err := openwrt.MakeDirectory(dir); err != nil {
		return nil, tinyfmt.Errorf("state directory: %w (-d DIR names another)", err)
	}
	path := filepath.Join(dir, "lan6d.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, tinyfmt.Errorf("state directory: %w (-d DIR names another)", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			pid := make([]byte, 16)
			n, _ := f.Read(pid)
			return nil, tinyfmt.Errorf("lan6d is already running with process id %s on the state directory %s", strings.TrimSpace(string(pid[:n])), dir)
		}
		return nil, tinyfmt.Errorf("lock %s: %w", path, err)
	}
	// The number only serves the message above: a full disk is no reason not to serve.
	_ = f.Truncate(0)
	_, _ = io.WriteString(f, tinyfmt.Sprintf("%d\n", os.Getpid()))
	return f, nil
}

// serverDUID is the server's DUID: the one in the state directory; else, from now on, the one noted beside the leases, for
// their clients know it; else one from the link-layer address of a served interface; else a random one (RFC 6355). An
// error says that it could not be read or kept: it is valid all the same, until the next start.
func serverDUID(dir string, noted dhcpv6.DUID, links []netif.Link) (dhcpv6.DUID, error) {
	path := filepath.Join(dir, "server.duid")
	text, err := readFile(path)
	if err == nil {
		duid, err := dhcpv6.ParseDUIDText(strings.TrimSpace(string(text)))
		if err == nil {
			return duid, nil
		}
		bad := path + ".bad"
		if renameErr := unix.Rename(path, bad); renameErr != nil {
			return newDUID(noted, links), tinyfmt.Errorf("%s: %w", path, err)
		}
		duid, saveErr := saveDUID(path, newDUID(noted, links))
		return duid, errors.Join(tinyfmt.Errorf("%s: %w: set aside as %s, another is used", path, err, bad), saveErr)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return newDUID(noted, links), err
	}
	return saveDUID(path, newDUID(noted, links))
}

// saveDUID writes a DUID to a new file in place of path.
func saveDUID(path string, duid dhcpv6.DUID) (dhcpv6.DUID, error) {
	if err := openwrt.ReplaceFile(path, []byte(duid.String()+"\n")); err != nil {
		return duid, tinyfmt.Errorf("write %s: %w", path, err)
	}
	return duid, nil
}

// newDUID is the DUID for a server that has none in its file.
func newDUID(noted dhcpv6.DUID, links []netif.Link) dhcpv6.DUID {
	if noted != nil {
		return noted
	}
	for _, l := range links {
		if len(l.HardwareAddr) == 6 && l.Type == unix.ARPHRD_ETHER {
			return dhcpv6.NewDUIDLL(dhcpv6.HardwareEthernet, l.HardwareAddr)
		}
	}
	uuid := make([]byte, 16)
	random(uuid)
	uuid[6], uuid[8] = uuid[6]&0x0f|0x40, uuid[8]&0x3f|0x80
	return append(dhcpv6.DUID{0, byte(dhcpv6.DUIDUUID)}, uuid...)
}

// random fills b, of at most 256 octets: for so few it cannot fail, once it has waited for entropy at boot.
func random(b []byte) { unix.Getrandom(b, 0) }

// readFile returns what is in a file, up to 64 KiB of it. (os.ReadFile brings package time's formats, 37 KB on a router.)
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 1<<16))
}
