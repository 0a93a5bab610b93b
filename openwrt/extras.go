package openwrt

import (
	"encoding/hex"
	"fmt"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// bootFile is a "boot6" section while it is read.
type bootFile struct {
	server.BootFile
}

var bootOptions = []option[bootFile]{
	vital(text("url", func(f *bootFile, v string) error {
		f.URL = v
		return checkURI(v)
	})),
	vital(integer("arch", 0, 65535, func(f *bootFile, n int64) { f.Arch, f.Default = uint16(n), false })),
}

// globals is the section of that name in /etc/config/network.
type globals struct {
	duid dhcpv6.DUID
}

var globalsOptions = []option[globals]{
	text("dhcp_default_duid", setServerDUID),
}

// minServerDUID is odhcpd's lower limit for the server's own DUID, in octets: that of a DUID-LL with an Ethernet
// address.
const minServerDUID = 10

func setServerDUID(g *globals, v string) error {
	if v == "auto" { // netifd has not made one yet
		return nil
	}
	b, err := hex.DecodeString(v)
	if err != nil || len(b) < minServerDUID || len(b) > dhcpv6.MaxDUIDLength {
		return fmt.Errorf("%.30q is no DUID of a server, allowed are %d to %d octets in hexadecimal digits",
			v, minServerDUID, dhcpv6.MaxDUIDLength)
	}
	g.duid = b
	return nil
}

// system is the section of that name in /etc/config/system.
type system struct {
	timezone, zonename string
}

var systemOptions = []option[system]{
	text("timezone", func(s *system, v string) error { return setZone(&s.timezone, v) }),
	text("zonename", func(s *system, v string) error { return setZone(&s.zonename, v) }),
}

// setZone takes a time zone. LuCI writes names such as "America/Los Angeles", where the real one has an underscore.
func setZone(zone *string, v string) error {
	v = strings.ReplaceAll(v, " ", "_")
	if !isVisible(v) || len(v) > maxOption {
		return fmt.Errorf("%.80q is no time zone, allowed is printable ASCII", v)
	}
	*zone = v
	return nil
}
