package openwrt

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
	"lan6d/openwrt/uci"
)

// Interface is what the configuration says about one logical interface, whether it is served or not.
type Interface struct {
	Name   string // logical interface, "lan"
	Device string // network device if the configuration names it, else empty: netifd knows
	Mode   Mode   // as configured
	Role   Mode   // what came of Mode: Disabled, Server or Relay
	Master bool   // the upstream side of relaying

	Upstream     []string     // logical interfaces whose netifd data applies here, too
	RelayServers []netip.Addr // unicast targets of relaying; none: All_DHCP_Servers

	Server server.Interface

	modePos   uci.Pos // where its mode is set
	networkID string  // device by the older option networkid
	fallback  bool    // without a search list, take the system's
	refused   bool    // by an option that makes odhcpd give up the whole interface
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
var interfaceOptions = concat(dhcpOptions, ownInterfaceOptions, []option[Interface]{
	gone[Interface]("ra_management", "ra_flags and ra_slaac"),
	gone[Interface]("preferred_lifetime", "max_preferred_lifetime"),
	gone[Interface]("pd_manager", ""),
	gone[Interface]("ra_useleasetime", "max_preferred_lifetime and max_valid_lifetime"),
}, foreign[Interface](
	"start", "limit", "router", "dhcpv4", "dhcpv4_forcereconf", "ipv6_only_preferred", "ra", "ra_default", "ra_slaac",
	"ra_offlink", "ra_preference", "ra_advrouter", "ra_mininterval", "ra_maxinterval", "ra_lifetime", "ra_reachabletime",
	"ra_retranstime", "ra_hoplimit", "ra_mtu", "ra_dns", "ra_pref64", "ra_flags", "ndp", "ndproxy_routing",
	"ndproxy_slave", "ndp_from_link_local", "dhcpv6_pd_preferred", "ignore", "instance", "dhcp_option",
	"dhcp_option_force", "force", "tag", "set", "addressing", "netmask", "options",
))

// dhcpOptions are the options that odhcpd has, too.
var dhcpOptions = []option[Interface]{
	text("interface", func(i *Interface, v string) error { return nil }), // read before: it names the section
	text("ifname", func(i *Interface, v string) error { return setDevice(&i.Device, v) }),
	text("networkid", func(i *Interface, v string) error { return setDevice(&i.networkID, v) }),
	text("dhcpv6", setMode),
	boolean("master", func(i *Interface) *bool { return &i.Master }),
	list("upstream", func(i *Interface) *[]string { return &i.Upstream }, each(parseInterfaceName), nil),
	boolean("dynamicdhcp", func(i *Interface) *bool { return &i.Server.Dynamic }),
	seconds("leasetime", func(i *Interface) *uint32 { return &i.Server.LeaseTime }),
	seconds("max_preferred_lifetime", func(i *Interface) *uint32 { return &i.Server.MaxPreferred }),
	seconds("max_valid_lifetime", func(i *Interface) *uint32 { return &i.Server.MaxValid }),
	list("dns", func(i *Interface) *[]netip.Addr { return &i.Server.DNS }, parseServerAddr,
		func(netip.Addr) int { return 16 }),
	boolean("dns_service", func(i *Interface) *bool { return &i.Server.OwnDNS }),
	list("domain", func(i *Interface) *[]string { return &i.Server.Search }, each(parseDomain), nameLength),
	list("dnr", func(i *Interface) *[]server.DNR { return &i.Server.DNR }, parseDNR, nil),
	{name: "ntp", many: setNTP},
	text("captive_portal_uri", setCaptivePortal),
	text("dhcpv6_raw", setRaw),
	boolean("dhcpv6_na", func(i *Interface) *bool { return &i.Server.Addresses }),
	boolean("dhcpv6_pd", func(i *Interface) *bool { return &i.Server.Prefixes }),
	text("dhcpv6_pd_min_len", setPDMinLength),
	boolean("dhcpv6_assignall", func(i *Interface) *bool { return &i.Server.AssignAll }),
	text("dhcpv6_hostidlength", func(i *Interface, v string) error {
		return setClamped(&i.Server.HostIDLength, v, server.DefaultHostIDLength, server.MaxHostIDLength)
	}),
	list("dhcpv6_relay_servers", func(i *Interface) *[]netip.Addr { return &i.RelayServers }, each(parseAddr6), nil),
	text("prefix_filter", setPrefixFilter),
}

// ownInterfaceOptions are the options that odhcpd lacks or has given up.
var ownInterfaceOptions = []option[Interface]{
	integer("preference", 0, 255, func(i *Interface, n int64) { i.Server.Preference = uint8(n) }),
	text("decline_time", setDeclineTime),
	boolean("domain_fallback", func(i *Interface) *bool { return &i.fallback }),
	integer("sol_max_rt", server.DefaultMaxRT, server.MaxMaxRT, func(i *Interface, n int64) { i.Server.SolMaxRT = uint32(n) }),
	integer("inf_max_rt", server.DefaultMaxRT, server.MaxMaxRT, func(i *Interface, n int64) { i.Server.InfMaxRT = uint32(n) }),
	text("information_refresh_time", setInformationTime),
	integer("cer_id_code", 0, 65535, func(i *Interface, n int64) { i.Server.CERIDCode = dhcpv6.OptionCode(n) }),
	text("pd_cer", func(i *Interface, v string) (err error) { return assign(&i.Server.CERID, v, parseAddr6) }),
	text("filter_class", setFilterClass),
	integer("max_offers", 1, 65535, func(i *Interface, n int64) { i.Server.MaxOffers = int(n) }),
}

// setDevice takes the name of a network device: what Linux allows there.
func setDevice(device *string, v string) error {
	if v == "." || v == ".." || len(v) > 15 || !isVisible(v) || strings.ContainsAny(v, "/:") {
		return fmt.Errorf("%.80q is no device name, allowed are 1 to 15 printable characters without blanks, / and :", v)
	}
	*device = v
	return nil
}

func setMode(i *Interface, v string) error {
	mode, err := parseMode(v)
	if err == nil {
		i.Mode = mode
	}
	return err
}

// parseInterfaceName reads the name of a logical interface. It becomes part of a file's name.
func parseInterfaceName(v string) (string, error) {
	if v == "" || len(v) > 64 || !isVisible(v) || strings.Contains(v, "/") {
		return "", fmt.Errorf("%.80q is no interface name, allowed are 1 to 64 printable characters without blanks and /", v)
	}
	return v, nil
}

// setNTP fills both the NTP and the SNTP servers. An unspecified address among them makes odhcpd give up the interface.
func setNTP(i *Interface, values []string) []error {
	ntp := list("", func(i *Interface) *[]server.NTPServer { return &i.Server.NTP }, parseNTP, ntpLength)
	errs := ntp.many(i, values)
	i.refused = false
	for _, err := range errs {
		i.refused = i.refused || errors.Is(err, errUnspecified)
	}
	i.Server.SNTP = nil
	for _, n := range i.Server.NTP {
		if n.Addr.IsValid() {
			i.Server.SNTP = append(i.Server.SNTP, n.Addr)
		}
	}
	return errs
}

// ntpLength is the length of a suboption of the NTP Server option (RFC 5908, section 4), in octets.
func ntpLength(n server.NTPServer) int {
	if n.Addr.IsValid() {
		return 4 + 16
	}
	return 4 + nameLength(n.Name)
}

func setCaptivePortal(i *Interface, v string) error {
	if err := checkURI(v); err != nil {
		return err
	}
	i.Server.CaptivePortal = v
	return nil
}

// checkURI tests that v can be a URI and fits an option.
func checkURI(v string) error {
	if scheme, rest, ok := strings.Cut(v, ":"); !ok || scheme == "" || rest == "" || !isLetter(v[0]) || !isVisible(v) {
		return fmt.Errorf("%.80q is no URI, allowed is a scheme, a colon and printable ASCII without blanks", v)
	}
	if len(v) > maxOption-2 {
		return fmt.Errorf("URI of %d octets, an option has room for %d", len(v), maxOption-2)
	}
	return nil
}

// setRaw takes options in their wire form, as hexadecimal digits.
func setRaw(i *Interface, v string) error {
	b, err := hex.DecodeString(v)
	if err != nil {
		return fmt.Errorf("%.20q is not an even number of hexadecimal digits", v)
	}
	options, err := dhcpv6.ParseOptions(b)
	if err != nil || len(options) != len(b) || len(b) > maxOption {
		return fmt.Errorf("%.20q is not a run of whole options, each a code and a length of 4 digits and its data", v)
	}
	i.Server.Raw = b
	return nil
}

// setPDMinLength takes 0, the "off" of OpenWrt 24.10, as 1, which is the same: no prefix is too large.
func setPDMinLength(i *Interface, v string) error {
	if n, ok := parseNumber(v); ok && n <= 1 {
		n, err := parseInt(v, 0, 64)
		if err == nil {
			i.Server.PDMinLength = int(max(n, 1))
		}
		return err
	}
	return setClamped(&i.Server.PDMinLength, v, 1, 64)
}

// setClamped sets a number that, when it is outside its limits, counts as the nearest limit, and warns then.
func setClamped(field *int, v string, low, high int64) error {
	n, err := parseClamped(v, low, high)
	if w := warning(""); err == nil || errors.As(err, &w) {
		*field = int(n)
	}
	return err
}

// setPrefixFilter keeps ::/0, which lets every prefix pass, as the zero value.
func setPrefixFilter(i *Interface, v string) error {
	p, err := parsePrefix6(v)
	if err != nil {
		return err
	}
	i.Server.PrefixFilter = netip.Prefix{}
	if p.Bits() > 0 {
		i.Server.PrefixFilter = p.Masked()
	}
	return nil
}

func setDeclineTime(i *Interface, v string) error {
	t, err := parseTime(v)
	if err == nil {
		i.Server.DeclineTime = time.Duration(t) * time.Second
	}
	return err
}

// setInformationTime: section 21.23 has clients take anything below 600 seconds (IRT_MINIMUM) as 600.
func setInformationTime(i *Interface, v string) error {
	t, err := parseTime(v)
	if err == nil && t < server.DefaultInformationTime {
		err = fmt.Errorf("%.80q is less than %d seconds", v, server.DefaultInformationTime)
	}
	if err == nil {
		i.Server.InformationTime = t
	}
	return err
}

// setFilterClass takes any text that fits an item of a User Class option.
func setFilterClass(i *Interface, v string) error {
	if len(v) > maxOption-2 {
		return fmt.Errorf("class of %d octets, an option has room for %d", len(v), maxOption-2)
	}
	i.Server.FilterClass = v
	return nil
}
