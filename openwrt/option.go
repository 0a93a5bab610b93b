package openwrt

import (
	"strings"

	"lan6d/openwrt/uci"
)

// option is one line of a table: an option's name and how its text gets into a T. One of one and many is set, or gone,
// or nothing: then the option is known but does not concern DHCPv6.
type option[T any] struct {
	name string
	one  func(t *T, value string) error      // an option with a single value
	many func(t *T, values []string) []error // a list; the errors are those of its values: as many, or none at all

	vital bool   // a wrong value spoils the whole section
	gone  bool   // the option no longer works
	now   string // what replaced it; empty: nothing
}

// text makes an option whose setter parses.
func text[T any](name string, set func(*T, string) error) option[T] {
	return option[T]{name: name, one: set}
}

func boolean[T any](name string, field func(*T) *bool) option[T] {
	return text(name, func(t *T, v string) error { return assign(field(t), v, parseBool) })
}

// seconds makes an option that holds a time.
func seconds[T any](name string, field func(*T) *uint32) option[T] {
	return text(name, func(t *T, v string) error { return assign(field(t), v, parseTime) })
}

func integer[T any](name string, low, high int64, set func(*T, int64)) option[T] {
	return text(name, func(t *T, v string) error {
		n, err := parseInt(v, low, high)
		if err == nil {
			set(t, n)
		}
		return err
	})
}

// list makes an option whose values parse reads one by one; those for which it returns false are left out in silence.
// size is what a value adds to the content of one DHCPv6 option, in octets; nil: they do not share one. If nothing but
// errors is in the list, the field stays as it was.
func list[T, E any](name string, field func(*T) *[]E, parse func(string) (E, bool, error), size func(E) int) option[T] {
	return option[T]{name: name, many: func(t *T, values []string) []error {
		var good []E
		errs, room, bad := make([]error, len(values)), maxOption, 0
		for i, v := range values {
			e, ok, err := parse(v)
			if err == nil && ok && size != nil {
				if room -= size(e); room < 0 {
					err = errRoom
				}
			}
			if errs[i] = err; err != nil {
				bad++
			} else if ok {
				good = append(good, e)
			}
		}
		if bad == 0 || bad < len(values) {
			*field(t) = good
		}
		return errs
	}}
}

// each adapts the parser of a value for list.
func each[E any](parse func(string) (E, error)) func(string) (E, bool, error) {
	return func(s string) (E, bool, error) {
		e, err := parse(s)
		return e, err == nil, err
	}
}

// foreign makes options that are known and do not concern DHCPv6.
func foreign[T any](names ...string) (options []option[T]) {
	for _, name := range names {
		options = append(options, option[T]{name: name})
	}
	return options
}

// gone makes an option that no longer works.
func gone[T any](name, now string) option[T] { return option[T]{name: name, gone: true, now: now} }

func vital[T any](o option[T]) option[T] {
	o.vital = true
	return o
}

// assign sets a field to what parse reads; on an error the field stays as it was.
func assign[E any](field *E, v string, parse func(string) (E, error)) error {
	e, err := parse(v)
	if err == nil {
		*field = e
	}
	return err
}

// find returns the option of that name, or nil.
func find[T any](table []option[T], name string) *option[T] {
	for i := range table {
		if table[i].name == name {
			return &table[i]
		}
	}
	return nil
}

// apply sets in t what the section says. ok is false if a vital option is wrong. own tells that the file is lan6d's:
// there, an option without effect is worth a warning.
func apply[T any](b *builder, t *T, section *uci.Section, table []option[T], own bool) (ok bool) {
	ok = true
	for _, o := range section.Options {
		entry := find(table, o.Name)
		switch {
		case entry == nil:
			if own {
				b.warn(o.Pos, o.Name, "unknown option%s", suggest(table, o.Name))
			}
		case entry.gone && entry.now == "":
			b.warn(o.Pos, o.Name, "no longer works, and nothing replaces it")
		case entry.gone:
			b.warn(o.Pos, o.Name, "no longer works, %s replaced it", entry.now)
		case entry.one != nil && o.List:
			b.fail(o.Pos, o.Name, "is written as a list, allowed is: option %s %.80q", o.Name, o.Values[0])
		case entry.one != nil:
			ok = b.check(o.Pos, o.Name, entry.one(t, o.Values[0]), entry.vital) && ok
		case entry.many != nil:
			ok = applyList(b, t, o, entry) && ok
		case own:
			b.warn(o.Pos, o.Name, "does not concern DHCPv6, set it in /etc/config/dhcp")
		}
	}
	return ok
}

// applyList sets a list. Written as an option, it is split at blanks and tabs, as odhcpd does.
func applyList[T any](b *builder, t *T, o *uci.Option, entry *option[T]) (ok bool) {
	values := o.Values
	if !o.List {
		values = strings.FieldsFunc(values[0], func(r rune) bool { return r == ' ' || r == '\t' })
	}
	ok = true
	for i, err := range entry.many(t, values) {
		pos := o.Pos
		if o.List {
			pos = o.ValuePos(i)
		}
		ok = b.check(pos, o.Name, err, entry.vital) && ok
	}
	return ok
}

func concat[T any](tables ...[]option[T]) (all []option[T]) {
	for _, t := range tables {
		all = append(all, t...)
	}
	return all
}
