package openwrt

import (
	"strconv"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
)

// bootFile is a "boot6" section while it is read.
type bootFile struct {
	server.BootFile
}

func bootOptions(f *bootFile) table {
	return table{options: []option{
		{name: "url", field: &f.URL, one: setURI, vital: true},
		{name: "arch", field: f, one: setArch, vital: true},
	}}
}

func setArch(o *option, v string) error {
	n, err := parseInt(v, 0, 65535)
	if err == nil {
		f := o.field.(*bootFile)
		f.Arch, f.Default = uint16(n), false
	}
	return err
}

// globals is the section of that name in /etc/config/network.
type globals struct {
	duid dhcpv6.DUID
}

func globalsOptions(g *globals) table {
	return table{options: []option{{name: "dhcp_default_duid", field: &g.duid, one: setServerDUID}}}
}

// minServerDUID is odhcpd's lower limit for the server's own DUID, in octets: that of a DUID-LL with an Ethernet
// address.
const minServerDUID = 10

func setServerDUID(o *option, v string) error {
	if v == "auto" { // netifd has not made one yet
		return nil
	}
	return setOwnDUID(o, v, minServerDUID)
}

// setOwnDUID takes a DUID of this router's, of so many octets at least.
func setOwnDUID(o *option, v string, low int) error {
	b, err := tinyfmt.ParseHex(v)
	if err != nil || len(b) < low || len(b) > dhcpv6.MaxDUIDLength {
		return wrong(v, "is no DUID, allowed are "+duidLengths(low))
	}
	*o.field.(*dhcpv6.DUID) = b
	return nil
}

func duidLengths(low int) string {
	return strconv.Itoa(low) + " to " + strconv.Itoa(dhcpv6.MaxDUIDLength) + " octets in hexadecimal digits"
}

// system is the section of that name in /etc/config/system.
type system struct {
	timezone, zonename string
}

func systemOptions(s *system) table {
	return table{options: []option{
		{name: "timezone", field: &s.timezone, one: setZone},
		{name: "zonename", field: &s.zonename, one: setZone},
	}}
}

// setZone takes a time zone. LuCI writes names such as "America/Los Angeles", where the real one has an underscore.
func setZone(o *option, v string) error {
	v = strings.ReplaceAll(v, " ", "_")
	if !isVisible(v) || len(v) > maxOption {
		return wrong(v, "is no time zone, allowed is printable ASCII")
	}
	return o.setText(v)
}
