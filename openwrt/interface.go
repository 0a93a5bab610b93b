package openwrt

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt/uci"
)

// Interface is what the configuration says about one logical interface, whether it is served or not.
type Interface struct {
	Name   string // logical interface, "lan"
	Device string // network device if the configuration names it, else empty: netifd knows
	Mode   Mode   // as configured
	Role   Mode   // what came of Mode: Disabled, Server or Relay
	Master bool   // the upstream side of relaying

	Upstream []string // logical interfaces whose netifd data applies here, too

	Relaying Relaying
	Server   server.Interface

	// What netifd tells: see WithNetworks.
	Known     bool // it knows the interface
	Down      bool // there is no device at the moment
	Delegated bool // a prefix is delegated to it

	idle bool // a master, with nobody to relay for

	modePos    uci.Pos // where its mode is set
	serversPos uci.Pos // where its relay servers are
	modeOwn    bool    // that is in lan6d's own file
	section    string  // the name of that section
	networkID  string  // device by the older option networkid
	fallback   bool    // without a search list, take the system's
	refused    bool    // it has no Role but Disabled: by an option that makes odhcpd give it up, or as a twin
	badNTP     bool    // which is one of these
}

func newInterface(name string) Interface {
	return Interface{
		Name: name,
		Server: server.Interface{
			Name:            name,
			LeaseTime:       server.DefaultLeaseTime,
			MaxPreferred:    server.DefaultMaxPreferred,
			MaxValid:        server.DefaultMaxValid,
			Dynamic:         true,
			Addresses:       true,
			Prefixes:        true,
			AssignAll:       true,
			HostIDLength:    server.DefaultHostIDLength,
			PDMinLength:     server.DefaultPDMinLength,
			MaxOffers:       server.DefaultMaxOffers,
			DeclineTime:     server.DefaultDeclineTime,
			OwnDNS:          true,
			SolMaxRT:        server.DefaultMaxRT,
			InfMaxRT:        server.DefaultMaxRT,
			InformationTime: server.DefaultInformationTime,
		},
	}
}

// interfaceOptions are the options of a "dhcp" section in /etc/config/dhcp and of an "interface" section in
// /etc/config/lan6d.
func interfaceOptions(i *Interface) table {
	s, r := &i.Server, &i.Relaying
	return table{foreign: foreignInterfaceOptions, options: []option{
		{name: "interface", one: setNothing}, // read before: it names the section
		{name: "ifname", field: &i.Device, one: setDevice},
		{name: "networkid", field: &i.networkID, one: setDevice},
		{name: "dhcpv6", field: &i.Mode, one: setMode},
		{name: "master", field: &i.Master, one: setBool},
		{name: "upstream", field: &i.Upstream, many: setUpstream},
		{name: "dynamicdhcp", field: &s.Dynamic, one: setBool},
		{name: "leasetime", field: &s.LeaseTime, one: setTime},
		{name: "max_preferred_lifetime", field: &s.MaxPreferred, one: setTime},
		{name: "max_valid_lifetime", field: &s.MaxValid, one: setTime},
		{name: "dns", field: &s.DNS, many: setDNS},
		{name: "dns_service", field: &s.OwnDNS, one: setBool},
		{name: "domain", field: &s.Search, many: setSearch},
		{name: "dnr", field: &s.DNR, many: setDNR},
		{name: "ntp", field: i, many: setNTP},
		{name: "captive_portal_uri", field: &s.CaptivePortal, one: setURI},
		{name: "dhcpv6_raw", field: &s.Raw, one: setRaw},
		{name: "dhcpv6_na", field: &s.Addresses, one: setBool},
		{name: "dhcpv6_pd", field: &s.Prefixes, one: setBool},
		{name: "dhcpv6_pd_min_len", field: &s.PDMinLength, one: setPDMinLength, low: 1, high: 64},
		{name: "dhcpv6_assignall", field: &s.AssignAll, one: setBool},
		{name: "dhcpv6_hostidlength", field: &s.HostIDLength, one: setClamped,
			low: server.DefaultHostIDLength, high: server.MaxHostIDLength},
		{name: "dhcpv6_relay_servers", field: &r.Servers, many: setRelayServers},
		{name: "prefix_filter", field: &s.PrefixFilter, one: setPrefixFilter},

		// What odhcpd lacks or has given up:
		{name: "preference", field: &s.Preference, one: setInt, high: 255},
		{name: "decline_time", field: &s.DeclineTime, one: setDeclineTime},
		{name: "domain_fallback", field: &i.fallback, one: setBool},
		{name: "sol_max_rt", field: &s.SolMaxRT, one: setInt, low: server.DefaultMaxRT, high: server.MaxMaxRT},
		{name: "inf_max_rt", field: &s.InfMaxRT, one: setInt, low: server.DefaultMaxRT, high: server.MaxMaxRT},
		{name: "information_refresh_time", field: &s.InformationTime, one: setInformationTime},
		{name: "cer_id_code", field: (*uint16)(&s.CERIDCode), one: setInt, high: 65535},
		{name: "pd_cer", field: &s.CERID, one: setAddr6},
		{name: "filter_class", field: &s.FilterClass, one: setFilterClass},
		{name: "max_offers", field: &s.MaxOffers, one: setInt, low: 1, high: 65535},

		{name: "relay_link_address", field: &r.StrictLink, one: setRelayLinkAddress},
		{name: "always_rewrite_dns", field: &r.RewriteDNS, one: setChoice},
		{name: "relay_remote_id", field: &r.RemoteID, one: setRemoteID},
		{name: "relay_subscriber_id", field: &r.SubscriberID, one: setIdentifier},
		{name: "relay_client_mac", field: &r.LinkLayer, one: setBool},

		// What odhcpd had:
		{name: "ra_management", gone: "ra_flags and ra_slaac replaced it"},
		{name: "preferred_lifetime", gone: "max_preferred_lifetime replaced it"},
		{name: "pd_manager", gone: "and nothing replaces it"},
		{name: "ra_useleasetime", gone: "max_preferred_lifetime and max_valid_lifetime replaced it"},
	}}
}

const foreignInterfaceOptions = "" +
	"start limit router dhcpv4 dhcpv4_forcereconf ipv6_only_preferred ra ra_default ra_slaac ra_offlink " +
	"ra_preference ra_advrouter ra_mininterval ra_maxinterval ra_lifetime ra_reachabletime ra_retranstime " +
	"ra_hoplimit ra_mtu ra_dns ra_pref64 ra_flags ndp ndproxy_routing ndproxy_slave ndp_from_link_local " +
	"dhcpv6_pd_preferred ignore instance dhcp_option dhcp_option_force force tag set addressing netmask options"

func setNothing(*option, string) error { return nil }

func setDevice(o *option, v string) error {
	if err := checkDevice(v); err != nil {
		return err
	}
	return o.setText(v)
}

// checkDevice tests the name of a network device: what Linux allows there.
func checkDevice(v string) error {
	if v == "." || v == ".." || len(v) > 15 || !isVisible(v) || strings.ContainsAny(v, "/:") {
		return wrong(v, "is no device name, allowed are 1 to 15 printable characters without blanks, / and :")
	}
	return nil
}

func setMode(o *option, v string) error {
	mode, err := parseMode(v)
	if err == nil {
		*o.field.(*Mode) = mode
	}
	return err
}

func setUpstream(l *list) {
	for i, v := range l.values {
		if l.take(i, 0, true, checkInterfaceName(v)) {
			l.addName(v)
		}
	}
}

// checkInterfaceName tests the name of a logical interface. It becomes part of a file's name.
func checkInterfaceName(v string) error {
	if v == "" || len(v) > 64 || !isVisible(v) || strings.Contains(v, "/") {
		return wrong(v, "is no interface name, allowed are 1 to 64 printable characters without blanks and /")
	}
	return nil
}

func setDNS(l *list) {
	for i, v := range l.values {
		if a, ok, err := parseServerAddr(v); l.take(i, 16, ok, err) {
			l.addAddr(a)
		}
	}
}

func setSearch(l *list) {
	for i, v := range l.values {
		if name, err := parseDomain(v); l.take(i, nameLength(name), true, err) {
			l.addName(name)
		}
	}
}

func setDNR(l *list) {
	for i, v := range l.values {
		if d, ok, err := parseDNR(v); l.take(i, 0, ok, err) {
			f := l.field.(*[]server.DNR)
			*f = append(*f, d)
		}
	}
}

// setNTP fills both the NTP and the SNTP servers. An unspecified address among them makes odhcpd give up the interface.
func setNTP(l *list) {
	i := l.field.(*Interface)
	i.badNTP = false
	for n, v := range l.values {
		s, ok, err := parseNTP(v)
		size := 4 + 16 // of a suboption of the NTP Server option (RFC 5908, section 4)
		if s.Name != "" {
			size = 4 + nameLength(s.Name)
		}
		if err == errUnspecified {
			i.badNTP = true
			err = about(v, "is no address of a server, the interface is not served")
		}
		if !l.take(n, size, ok, err) {
			continue
		}
		if i.Server.NTP = append(i.Server.NTP, s); s.Name == "" {
			i.Server.SNTP = append(i.Server.SNTP, s.Addr)
		}
	}
}

func setURI(o *option, v string) error {
	if err := checkURI(v); err != nil {
		return err
	}
	return o.setText(v)
}

// checkURI tests that v can be a URI and fits an option.
func checkURI(v string) error {
	if scheme, rest, _ := strings.Cut(v, ":"); scheme == "" || rest == "" || !isLetter(v[0]) || !isVisible(v) {
		return wrong(v, "is no URI, allowed is a scheme, a colon and printable ASCII without blanks")
	}
	return checkRoom("URI of", len(v), maxOption-2)
}

// setRaw takes options in their wire form, as hexadecimal digits.
func setRaw(o *option, v string) error {
	b, err := tinyfmt.ParseHex(v)
	if err != nil {
		return wrong(v, "is not an even number of hexadecimal digits")
	}
	options, err := dhcpv6.ParseOptions(b)
	if err != nil || len(options) != len(b) || len(b) > maxOption {
		return wrong(v, "is not a run of whole options, each a code and a length of 4 digits and its data")
	}
	*o.field.(*[]byte) = b
	return nil
}

// setPDMinLength takes 0, the "off" of OpenWrt 24.10, as 1, which is the same: no prefix is too large.
func setPDMinLength(o *option, v string) error {
	n, ok := parseNumber(v)
	switch {
	case ok && n == 0:
		v = "1"
	case ok && n < 0:
		return outside(v, n, 0, int64(o.high))
	}
	return setClamped(o, v)
}

// setPrefixFilter keeps ::/0, which lets every prefix pass, as the zero value.
func setPrefixFilter(o *option, v string) error {
	p, err := parsePrefix6(v)
	if err != nil {
		return err
	}
	if p = p.Masked(); p.Bits() == 0 {
		p = netip.Prefix{}
	}
	*o.field.(*netip.Prefix) = p
	return nil
}

func setDeclineTime(o *option, v string) error {
	t, err := parseTime(v)
	if err == nil {
		*o.field.(*time.Duration) = time.Duration(t) * time.Second
	}
	return err
}

// setInformationTime: section 21.23 has clients take anything below 600 seconds (IRT_MINIMUM) as 600.
func setInformationTime(o *option, v string) error {
	if t, err := parseTime(v); err == nil && t < server.DefaultInformationTime {
		return wrong(v, "is less than "+strconv.Itoa(server.DefaultInformationTime)+" seconds")
	}
	return setTime(o, v)
}

func setAddr6(o *option, v string) error {
	a, err := parseAddr6(v)
	if err != nil {
		return err
	}
	return o.setAddr(a)
}

// setFilterClass takes any text that fits an item of a User Class option.
func setFilterClass(o *option, v string) error {
	if err := checkRoom("class of", len(v), maxOption-2); err != nil {
		return err
	}
	return o.setText(v)
}
