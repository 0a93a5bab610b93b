package openwrt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"lan6d/dhcpv6"
	"lan6d/dhcpv6/server"
)

// svcParam is a service parameter that a resolver may have.
type svcParam struct {
	name string
	key  svcKey
	flag bool // it has no value
}

// svcParams are in ascending order of their keys (RFC 9460, section 14.3.2; dohpath: RFC 9461; ohttp: RFC 9540).
var svcParams = [...]svcParam{
	{"mandatory", svcMandatory, false}, {"alpn", svcALPN, false}, {"no-default-alpn", svcNoDefaultALPN, true},
	{"port", svcPort, false}, {"dohpath", svcDoHPath, false}, {"ohttp", svcOHTTP, true},
}

// svcKey is the number of a service parameter. In a packet, a parameter has the form of an option.
type svcKey = dhcpv6.OptionCode

const (
	svcMandatory     svcKey = 0
	svcALPN          svcKey = 1
	svcNoDefaultALPN svcKey = 2
	svcPort          svcKey = 3
	svcDoHPath       svcKey = 7
	svcOHTTP         svcKey = 8
)

// parseDNR reads an encrypted DNS resolver: "<priority> <name> [<address>[,<address>...] [<key>=<value> ...]]". An
// entry that has IPv4 addresses only is meant for DHCPv4: ok is false.
func parseDNR(s string) (dnr server.DNR, ok bool, err error) {
	words := strings.Fields(s)
	if len(words) < 2 {
		return dnr, false, wrong(s, "is not of the form '<priority> <name> [<address>,... [<key>=<value> ...]]'")
	}
	priority, err := parseInt(words[0], 1, 65535)
	if err != nil {
		return dnr, false, about("priority", err.Error())
	}
	dnr.Priority = uint16(priority)
	if dnr.Name, err = parseDomain(words[1]); err != nil || len(words) == 2 {
		return dnr, err == nil, err
	}
	if dnr.Addrs, err = parseDNRAddrs(words[2]); err != nil {
		return dnr, false, err
	}
	if dnr.Params, err = parseSvcParams(words[3:]); err != nil {
		return dnr, false, err
	}
	return dnr, len(dnr.Addrs) > 0, checkRoom("takes", dnrLength(&dnr), maxOption)
}

// dnrLength is the length of the option's content (RFC 9463, section 4.1): priority, length of the name, name, length
// of the addresses, addresses, parameters.
func dnrLength(d *server.DNR) int {
	return 2 + 2 + nameLength(d.Name) + 2 + 16*len(d.Addrs) + len(d.Params)
}

// parseDNRAddrs reads the address list of a resolver and keeps its IPv6 addresses.
func parseDNRAddrs(s string) (addrs []netip.Addr, err error) {
	for _, text := range strings.Split(s, ",") {
		a, err := parseAddr(text)
		if err != nil || a.IsMulticast() {
			return nil, wrong(text, "is no unicast address; addresses come third, joined by commas")
		}
		if a.Is6() {
			addrs = append(addrs, a)
		}
	}
	return addrs, nil
}

// parseSvcParams encodes "key=value" words as service parameters in ascending order of their keys (RFC 9460, section
// 2.2), and tests what that RFC's section 8 and section 7.1.1 demand of mandatory and no-default-alpn.
func parseSvcParams(words []string) ([]byte, error) {
	for i, word := range words {
		name, value, hasValue := strings.Cut(word, "=")
		if err := checkSvcParam(name, value, hasValue); err != nil {
			return nil, err
		}
		if _, twice := findSvcParam(words[:i], name); twice && name != "_lifetime" {
			return nil, about(name, "is given twice")
		}
	}
	w := dhcpv6.NewWriter(make([]byte, maxOption))
	for i := range svcParams {
		p := &svcParams[i]
		value, given := findSvcParam(words, p.name)
		if !given {
			continue
		}
		m := w.Begin(p.key)
		if err := writeSvcValue(&w, p.key, value, words); err != nil {
			return nil, err
		}
		w.End(m)
	}
	b, err := w.Finish()
	if err != nil {
		return nil, errRoom
	}
	return bytes.Clone(b), nil
}

// findSvcParam returns the value of the parameter of that name.
func findSvcParam(words []string, name string) (value string, given bool) {
	for _, word := range words {
		if n, value, _ := strings.Cut(word, "="); n == name {
			return value, true
		}
	}
	return "", false
}

// checkSvcParam tests that a parameter is known and has a value if it needs one.
func checkSvcParam(name, value string, hasValue bool) error {
	for i := range svcParams {
		p := &svcParams[i]
		switch {
		case p.name != name:
			continue
		case p.flag && hasValue:
			return about(name, "takes no value")
		case !p.flag && (value == "" || !isVisible(value)):
			return about(name, "needs a value of printable ASCII")
		}
		return nil
	}
	switch name {
	case "_lifetime": // for Router Advertisements
		return nil
	case "ech", "ipv4hint", "ipv6hint":
		return about(name, "is not allowed with DNR")
	}
	return wrong(name, "is no service parameter, allowed are alpn, port, dohpath, mandatory, no-default-alpn, ohttp")
}

// writeSvcValue encodes the value of a parameter, of which words are all.
func writeSvcValue(w *dhcpv6.Writer, key svcKey, value string, words []string) error {
	switch key {
	case svcMandatory:
		return writeMandatory(w, strings.Split(value, ","), words)
	case svcALPN:
		for _, id := range strings.Split(value, ",") {
			if id == "" || len(id) > 255 {
				return about("alpn:", wrong(value, "is not a list of protocols of 1 to 255 octets, joined by commas").Error())
			}
			w.Uint8(uint8(len(id)))
			w.Text(id)
		}
	case svcNoDefaultALPN:
		if _, given := findSvcParam(words, "alpn"); !given {
			return errors.New("no-default-alpn needs alpn")
		}
	case svcPort:
		port, err := parseInt(value, 1, 65535)
		if err != nil {
			return about("port", err.Error())
		}
		w.Uint16(uint16(port))
	case svcDoHPath: // RFC 9461, section 5
		if _, variable, _ := strings.Cut(value, "{"); value[0] != '/' || !strings.Contains(variable, "dns") {
			return about("dohpath:", wrong(value, "is no path with the variable dns, such as /dns-query{?dns}").Error())
		}
		w.Text(value)
	}
	return nil
}

// writeMandatory encodes the list of keys that a client must understand: sorted, each of them given (RFC 9460, section
// 8). mandatory itself cannot be in it.
func writeMandatory(w *dhcpv6.Writer, names, words []string) error {
	for i, name := range names {
		_, given := findSvcParam(words, name)
		if !given || name == "mandatory" || name == "_lifetime" || slices.Contains(names[:i], name) {
			return about("mandatory:", wrong(name, "is not among the other parameters given, or named twice").Error())
		}
	}
	for i := range svcParams {
		if slices.Contains(names, svcParams[i].name) {
			w.Uint16(uint16(svcParams[i].key))
		}
	}
	return nil
}

// describeParams is the text form of service parameters that parseSvcParams has encoded.
func describeParams(b []byte) (text string) {
	for key, value := range dhcpv6.Options(b).All() {
		if text != "" {
			text += " "
		}
		text += svcName(key)
		switch key {
		case svcMandatory:
			for separator := "="; len(value) >= 2; value, separator = value[2:], "," {
				text += separator + svcName(svcKey(binary.BigEndian.Uint16(value)))
			}
		case svcALPN:
			for separator := "="; len(value) > 0; separator = "," {
				text += separator + string(value[1:1+value[0]])
				value = value[1+value[0]:]
			}
		case svcPort:
			text += "=" + strconv.Itoa(int(binary.BigEndian.Uint16(value)))
		case svcDoHPath:
			text += "=" + string(value)
		}
	}
	return text
}

func svcName(key svcKey) (name string) {
	for i := range svcParams {
		if svcParams[i].key == key {
			name = svcParams[i].name
		}
	}
	return name
}
