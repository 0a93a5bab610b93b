package openwrt

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// FuzzBuild builds from any text as the two files of lan6d. Nothing panics, and what comes out is in its ranges and can
// be written into packets.
func FuzzBuild(f *testing.F) {
	for _, dir := range []string{"openwrt-24.10", "openwrt-25.12", "broken"} {
		dhcp, _ := os.ReadFile(filepath.Join("testdata", dir, "dhcp"))
		own, _ := os.ReadFile(filepath.Join("testdata", dir, "lan6d"))
		f.Add(string(dhcp), string(own))
	}
	f.Add(uncommented(DefaultDHCP), uncommented(DefaultLAN6D))
	for _, r := range interfaceRows {
		if len(r.lines) < 1000 {
			f.Add("config dhcp lan\noption dhcpv6 server\n"+r.lines, "config interface lan\n"+r.lines)
		}
	}
	for _, r := range hostRows {
		f.Add("config host\n"+r.lines, "")
	}
	f.Fuzz(func(t *testing.T, dhcp, own string) {
		c, problems := buildAll(t, map[string]string{"dhcp": dhcp, "lan6d": own, "network": dhcp, "system": own})
		for _, p := range problems {
			if len(p) > 1000 || !utf8.ValidString(p) {
				t.Errorf("problem of %d octets: %q", len(p), p)
			}
		}
		checkConfig(t, c)
		Describe(io.Discard, c)
	})
}

// FuzzWithNetworks adds what netifd tells, whatever that is, to a configuration. The original stays as it is, and a device is
// served once.
func FuzzWithNetworks(f *testing.F) {
	f.Add("lan", "br-lan", "wan", "wan0", "leasetime", "1h")
	f.Add("lan6", "lan", "wan", "lan", "dhcpv6", "hybrid")
	f.Add("guest", "", "lan", "guest", "interface", "lan")
	f.Add("wan", "pppoe-wan", "lan", "", "ntp", "::")
	f.Add("lan", "br-lan", "lan", "br-lan", "inf_max_rt", "99999999999999999999\x19\xc7")
	for _, r := range interfaceRows {
		if words := strings.Fields(r.lines); len(words) == 3 {
			f.Add("lan", "br-lan", "lan6", "br-lan", words[1], strings.Trim(words[2], "'"))
		}
	}
	const file = "config dhcp lan\noption dhcpv6 server\nlist upstream wan\nconfig dhcp lan6\noption ifname lan\noption dhcpv6 hybrid\n" +
		"config dhcp guest\noption dhcpv6 relay\nconfig dhcp wan\noption dhcpv6 hybrid\noption master 1\n"
	f.Fuzz(func(t *testing.T, name, device, other, otherDevice, option, value string) {
		base, _ := build(t, file, "")
		same, _ := build(t, file, "")
		data := []Datum{{option, value}}
		c, problems := base.WithNetworks([]Network{{Name: name, Device: device, Data: data}, {Name: other, Device: otherDevice, Delegated: true, Data: data}})
		c.ResolveModes(func(i *Interface) bool { return i.Delegated })
		if !reflect.DeepEqual(base, same) {
			t.Errorf("the original has changed: %+v", base)
		}
		for _, p := range problems {
			if text := p.String(); len(text) > 1000 || !utf8.ValidString(text) {
				t.Errorf("problem of %d octets: %q", len(text), text)
			}
		}
		served := make(map[string]bool)
		for n := range c.Interfaces {
			i := &c.Interfaces[n]
			checkRanges(t, i.Server)
			checkEncodable(t, i.Server)
			if d := i.DeviceName(); i.Role != Disabled && d != "" {
				if served[d] {
					t.Errorf("%s has a second service", d)
				}
				served[d] = true
			}
		}
		Describe(io.Discard, c)
	})
}

func checkConfig(t *testing.T, c *Config) {
	t.Helper()
	s := c.ServerConfig()
	if s.DUID != nil && (len(s.DUID) < minServerDUID || len(s.DUID) > dhcpv6.MaxDUIDLength) {
		t.Errorf("DUID of %d octets", len(s.DUID))
	}
	if s.MaxOffers < 1 || s.MaxOffers > 65535 || c.Daemon.LogLevel > LogDebug {
		t.Errorf("daemon: %+v", c)
	}
	for _, i := range c.Interfaces {
		checkRanges(t, i.Server)
		checkEncodable(t, i.Server)
		if i.Name != i.Server.Name || i.Name == "" || i.Role == Hybrid || len(i.Device) > 15 {
			t.Errorf("interface %+v", i)
		}
		for _, s := range i.Relaying.Servers {
			if local := s.Addr.IsLinkLocalUnicast() || s.Addr.IsLinkLocalMulticast(); !s.Addr.Is6() || s.Addr.Zone() != "" || local && s.Interface == "" {
				t.Errorf("relay server %v", s)
			}
		}
		if len(i.Relaying.RemoteID) > 4+maxIdentifier || len(i.Relaying.SubscriberID) > maxIdentifier {
			t.Errorf("identifiers of a relay: %v", i.Relaying)
		}
	}
	for _, h := range s.Hosts {
		if h.Name != "" && checkHostName(h.Name) != nil || h.LeaseTime != 0 && h.LeaseTime < server.MinLifetime {
			t.Errorf("host %+v", h)
		}
		if h.Prefix.IsValid() && (h.HasSubnet || !h.Prefix.Addr().Is6() || h.Prefix.Bits() > 64 || h.Prefix != h.Prefix.Masked()) {
			t.Errorf("host %+v", h)
		}
		for _, d := range h.DUIDs {
			if len(d.DUID) < 1 || len(d.DUID) > dhcpv6.MaxDUIDLength {
				t.Errorf("host %+v", h)
			}
		}
	}
	for _, b := range s.BootFiles {
		if checkURI(b.URL) != nil {
			t.Errorf("boot file %+v", b)
		}
	}
}

// checkRanges looks at the numbers and prefixes of an interface.
func checkRanges(t *testing.T, s server.Interface) {
	t.Helper()
	between := func(what string, n, low, high int64) {
		if n < low || n > high {
			t.Errorf("%s: %d is outside %d..%d", what, n, low, high)
		}
	}
	between("lease time", int64(s.LeaseTime), 60, dhcpv6.Infinity)
	between("valid lifetime", int64(s.MaxValid), 60, dhcpv6.Infinity)
	between("preferred lifetime", int64(s.MaxPreferred), 60, int64(s.MaxValid))
	between("host id length", int64(s.HostIDLength), 12, 64)
	between("prefix length", int64(s.PDMinLength), 1, 64)
	between("offers", int64(s.MaxOffers), 1, 65535)
	between("decline time", int64(s.DeclineTime/time.Second), 60, dhcpv6.Infinity)
	between("SOL_MAX_RT", int64(s.SolMaxRT), 60, 86400)
	between("INF_MAX_RT", int64(s.InfMaxRT), 60, 86400)
	between("information refresh time", int64(s.InformationTime), 600, dhcpv6.Infinity)
	if p := s.PrefixFilter; p.IsValid() && (p != p.Masked() || !p.Addr().Is6()) {
		t.Errorf("prefix filter %s", p)
	}
	if s.CERID.IsValid() && !s.CERID.Is6() {
		t.Errorf("CER-ID %s", s.CERID)
	}
}

// room is for a packet that has more in it than one can send: it is made once, for speed.
var room = make([]byte, 4<<20)

// checkEncodable writes every option of an interface into a packet, and reads it back.
func checkEncodable(t *testing.T, s server.Interface) {
	t.Helper()
	w := dhcpv6.NewWriter(room)
	name := func(text string) {
		b, err := dhcpv6.AppendName(nil, text)
		if err != nil {
			t.Errorf("name %q: %v", text, err)
		}
		w.Bytes(b)
	}
	m := w.Begin(dhcpv6.OptionDNSServers)
	for _, a := range s.DNS {
		w.Addr(a)
	}
	w.End(m)
	m = w.Begin(dhcpv6.OptionDomainList)
	for _, n := range s.Search {
		name(n)
	}
	w.End(m)
	m = w.Begin(dhcpv6.OptionSNTPServers)
	for _, a := range s.SNTP {
		w.Addr(a)
	}
	w.End(m)
	m = w.Begin(dhcpv6.OptionNTPServer)
	for _, n := range s.NTP {
		sub := w.Begin(1)
		if n.Addr.IsValid() {
			w.Addr(n.Addr)
		} else {
			name(n.Name)
		}
		w.End(sub)
	}
	w.End(m)
	for _, d := range s.DNR {
		m = w.Begin(dhcpv6.OptionDNR)
		w.Uint16(d.Priority)
		w.Uint16(uint16(nameLength(d.Name)))
		name(d.Name)
		if len(d.Addrs) > 0 {
			w.Uint16(uint16(16 * len(d.Addrs)))
			for _, a := range d.Addrs {
				w.Addr(a)
			}
			w.Bytes(d.Params)
			checkParams(t, d.Params)
		} else if len(d.Params) > 0 {
			t.Errorf("DNR without addresses: %+v", d)
		}
		w.End(m)
	}
	w.Option(dhcpv6.OptionCaptivePortal, []byte(s.CaptivePortal))
	w.Option(dhcpv6.OptionUserClass, append(binary.BigEndian.AppendUint16(nil, uint16(len(s.FilterClass))), s.FilterClass...))
	w.Bytes(s.Raw)
	packet, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	if options, err := dhcpv6.ParseOptions(packet); err != nil || len(options) != len(packet) {
		t.Errorf("options of %d octets, of which %d can be read: %v", len(packet), len(options), err)
	}
}

// checkParams: keys in ascending order, lengths that fit.
func checkParams(t *testing.T, b []byte) {
	t.Helper()
	for last := -1; len(b) > 0; {
		if len(b) < 4 || len(b) < 4+int(binary.BigEndian.Uint16(b[2:])) || int(binary.BigEndian.Uint16(b)) <= last {
			t.Fatalf("service parameters %x behind key %d", b, last)
		}
		last = int(binary.BigEndian.Uint16(b))
		b = b[4+int(binary.BigEndian.Uint16(b[2:])):]
	}
}
