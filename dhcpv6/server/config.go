package server

import (
	"net/netip"
	"time"

	"lan6d/dhcpv6"
)

// Defaults and limits of Config and Interface.
const (
	DefaultLeaseTime       = 12 * 60 * 60 // seconds
	DefaultMaxPreferred    = 45 * 60      // seconds
	DefaultMaxValid        = 90 * 60      // seconds
	MinLifetime            = 60           // seconds
	DefaultHostIDLength    = 12           // bits
	MaxHostIDLength        = 64           // bits
	DefaultPDMinLength     = 62
	DefaultMaxRT           = 60    // seconds: SOL_MAX_RT and INF_MAX_RT
	MaxMaxRT               = 86400 // seconds
	DefaultInformationTime = 600   // seconds: Information Refresh Time, also the least (section 21.23: IRT_MINIMUM)
	DefaultDeclineTime     = time.Hour
	DefaultMaxOffers       = 256  // offers outstanding on one interface
	DefaultMaxOffersTotal  = 1024 // offers outstanding in all
	DefaultMaxStateless    = 1000 // clients without bindings
)

// Config is what the server is told to do. It is a value: the server keeps it and changes nothing in it, nor may the
// caller after SetConfig.
type Config struct {
	DUID       dhcpv6.DUID // the server's own, for all interfaces
	Interfaces []Interface // those that are served, in the order of the configuration
	Hosts      []Host
	BootFiles  []BootFile

	POSIXTimezone string // RFC 4833, "EST5EDT4,M3.2.0/02:00,M11.1.0/02:00"; empty: not sent
	TZDBTimezone  string // RFC 4833, "Europe/Zurich"; empty: not sent

	MaxOffers int // offers outstanding in all; 0: DefaultMaxOffersTotal

	// Random fills its argument with random octets that nobody can guess: keys for Reconfigure. nil: no Reconfigure.
	Random       func([]byte)
	MaxStateless int // clients without bindings that are remembered for Reconfigure; 0: DefaultMaxStateless
}

// Interface is one served interface. Lifetimes are in seconds, dhcpv6.Infinity for ever.
type Interface struct {
	Name string // the logical interface, "lan"; Link.Name says the same

	LeaseTime    uint32 // upper bound of both lifetimes
	MaxPreferred uint32 // upper bound of preferred lifetimes
	MaxValid     uint32 // upper bound of valid lifetimes

	Dynamic      bool // clients without a Host get leases too
	Addresses    bool // IA_NA is served
	Prefixes     bool // IA_PD is served
	AssignAll    bool // an address from each usable prefix, not from the best one only
	HostIDLength int  // bits of a dynamic interface id, 12 to 64
	PDMinLength  int  // a shorter (larger) requested prefix is raised to this length, 1 to 64
	MaxOffers    int  // offers outstanding on this interface; 0: DefaultMaxOffers

	PrefixFilter netip.Prefix  // only interface prefixes inside it are used; the zero value: all
	FilterClass  string        // clients with this User Class are ignored; empty: none
	DeclineTime  time.Duration // how long a declined address is not given out

	DNS             []netip.Addr // DNS servers
	OwnDNS          bool         // without DNS, announce the interface's own address
	Search          []string     // DNS search list
	DNR             []DNR
	NTP             []NTPServer
	SNTP            []netip.Addr
	Preference      uint8             // sent in Advertise when above 0 (section 21.8)
	CaptivePortal   string            // URI (RFC 8910); empty: not sent
	Raw             []byte            // options with their headers, appended to every answer as they are
	SolMaxRT        uint32            // seconds, 60 to 86400
	InfMaxRT        uint32            // seconds, 60 to 86400
	InformationTime uint32            // seconds, at least 600
	CERIDCode       dhcpv6.OptionCode // code for the CER-ID of draft-donley-dhc-cer-id-option; 0: not sent
	CERID           netip.Addr        // the zero value: the interface's lowest global address
}

// Host is a client that the configuration knows.
type Host struct {
	Name   string // host name; empty: none
	DUIDs  []HostDUID
	MACs   [][6]byte
	HostID uint64 // fixed interface id; 0: none

	// A fixed delegated prefix: a whole one in Prefix, or the subnet id under each interface prefix, counted in /64s,
	// in SubnetID.
	Prefix    netip.Prefix
	SubnetID  uint64
	HasSubnet bool

	LeaseTime uint32 // seconds; 0: the interface's
	Ignore    bool   // never answered
}

// HostDUID names a client by its DUID, or one IA of it.
type HostDUID struct {
	DUID    dhcpv6.DUID
	IAID    uint32
	HasIAID bool // only the IA with that IAID is meant
}

// DNR is an encrypted DNS resolver (RFC 9463). Params holds SvcParams in wire form, in ascending order of their keys;
// without addresses only the name is sent (ADN-only mode) and Params is empty.
type DNR struct {
	Priority uint16
	Name     string
	Addrs    []netip.Addr
	Params   []byte
}

// NTPServer is a time server (RFC 5908): an address, unicast or multicast, or else a name.
type NTPServer struct {
	Addr netip.Addr
	Name string
}

// BootFile is the URL sent to clients of an architecture (RFC 5970).
type BootFile struct {
	URL     string
	Arch    uint16
	Default bool // for every architecture that no other entry names; Arch does not count
}
