package openwrt

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"lan6d/dhcpv6/server"
	"lan6d/dhcpv6/tinyfmt"
	"lan6d/openwrt/uci"
)

// table is what a section may say. It is made for the one value that the section fills.
type table struct {
	options []option
	foreign string // names of options that are known and do not concern DHCPv6, with blanks between them
}

// option is one line of a table: an option's name, the field that it fills, and how its text gets there.
type option struct {
	name  string
	field any                                 // a pointer, as one or many wants it
	one   func(o *option, value string) error // an option with a single value
	many  func(l *list)                       // a list

	low, high int    // limits of a number
	vital     bool   // a wrong value spoils the whole section
	gone      string // the option no longer works: what replaced it
}

// find returns the option of that name, or nil.
func (t table) find(name string) *option {
	for i := range t.options {
		if t.options[i].name == name {
			return &t.options[i]
		}
	}
	return nil
}

// apply sets what the section says. ok is false if a vital option is wrong. own tells that the file is lan6d's: there,
// an option without effect is worth a warning.
func (b *builder) apply(section *uci.Section, t table, own bool) (ok bool) {
	ok = true
	for _, o := range section.Options {
		entry := t.find(o.Name)
		switch {
		case entry != nil && entry.gone != "":
			b.warn(o.Pos, o.Name, "no longer works, "+entry.gone)
		case entry != nil:
			ok = b.set(o, entry) && ok
		case !own:
		case slices.Contains(strings.Fields(t.foreign), o.Name):
			b.warn(o.Pos, o.Name, "does not concern DHCPv6, set it in /etc/config/dhcp")
		default:
			b.warn(o.Pos, o.Name, "unknown option"+t.suggest(o.Name))
		}
	}
	return ok
}

// set sets one option. A list that is written as an option is split at blanks and tabs, as odhcpd does.
func (b *builder) set(o *uci.Option, entry *option) (ok bool) {
	values := o.Values
	switch {
	case entry.many == nil && o.List:
		b.fail(o.Pos, o.Name, tinyfmt.Sprintf("is written as a list, allowed is: option %s %.80q", o.Name, values[0]))
		return true
	case entry.many == nil:
		return b.check(o.Pos, o.Name, entry.one(entry, values[0]), entry.vital)
	case !o.List:
		values = strings.FieldsFunc(values[0], func(r rune) bool { return r == ' ' || r == '\t' })
	}
	ok = true
	for i, err := range entry.setList(values) {
		pos := o.Pos
		if o.List {
			pos = o.ValuePos(i)
		}
		ok = b.check(pos, o.Name, err, entry.vital) && ok
	}
	return ok
}

// setList sets a list and returns the errors of its values: as many, nil where a value is right. If nothing but errors
// is in the list, the field stays as it was.
func (o *option) setList(values []string) []error {
	l := list{field: o.field, values: values, errs: make([]error, len(values)), room: maxOption}
	if len(values) == 0 {
		l.empty()
	}
	o.many(&l)
	return l.errs
}

// list is the values of an option while they are added to its field one by one.
type list struct {
	field  any
	values []string
	errs   []error
	room   int  // what is left of the DHCPv6 option that the values share, in octets
	fresh  bool // the field has been emptied
}

// take reports whether value i, which is size octets long in a packet, gets into the list. ok is what its parser says:
// without it and without an error, the value is left out in silence.
func (l *list) take(i, size int, ok bool, err error) bool {
	if err == nil && ok {
		if l.room -= size; l.room < 0 {
			err = errRoom
		}
	}
	l.errs[i] = err
	if err == nil && !l.fresh {
		l.empty()
	}
	return err == nil && ok
}

// empty drops what the field had before.
func (l *list) empty() {
	l.fresh = true
	switch f := l.field.(type) {
	case *[]string:
		*f = nil
	case *[]netip.Addr:
		*f = nil
	case *[]RelayServer:
		*f = nil
	case *[]server.DNR:
		*f = nil
	case *[]server.HostDUID:
		*f = nil
	case *[][6]byte:
		*f = nil
	case *Interface:
		f.Server.NTP, f.Server.SNTP = nil, nil
	}
}

func (l *list) addName(name string) {
	f := l.field.(*[]string)
	*f = append(*f, name)
}

func (l *list) addAddr(a netip.Addr) {
	f := l.field.(*[]netip.Addr)
	*f = append(*f, a)
}

// setText sets a text that is right.
func (o *option) setText(v string) error {
	*o.field.(*string) = v
	return nil
}

func (o *option) setAddr(a netip.Addr) error {
	*o.field.(*netip.Addr) = a
	return nil
}

func setBool(o *option, v string) error {
	b, err := parseBool(v)
	if err == nil {
		*o.field.(*bool) = b
	}
	return err
}

func setTime(o *option, v string) error {
	t, err := parseTime(v)
	if err == nil {
		*o.field.(*uint32) = t
	}
	return err
}

func setInt(o *option, v string) error {
	n, err := parseInt(v, int64(o.low), int64(o.high))
	if err == nil {
		o.setNumber(n)
	}
	return err
}

// setClamped sets a number that, when it is outside its limits, counts as the nearest limit, and warns then.
func setClamped(o *option, v string) error {
	n, ok := parseNumber(v)
	if !ok {
		return setInt(o, v) // it knows what is wrong
	}
	low, high := int64(o.low), int64(o.high)
	nearest := min(max(n, low), high)
	o.setNumber(nearest)
	if nearest != n {
		return warning(v + " is outside " + limits(low, high) + ", " + strconv.FormatInt(nearest, 10) + " is used")
	}
	return nil
}

func (o *option) setNumber(n int64) {
	switch f := o.field.(type) {
	case *int:
		*f = int(n)
	case *uint8:
		*f = uint8(n)
	case *uint16:
		*f = uint16(n)
	case *uint32:
		*f = uint32(n)
	}
}
