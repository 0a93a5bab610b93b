package openwrt

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// readmeRow is what the README says about an option.
type readmeRow struct{ values, standard string }

// readmeRows are the rows of the README's tables of options, by section and option, as in "host duid".
func readmeRows(t *testing.T) map[string]readmeRow {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]readmeRow)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9]+)` \\|(.*?)\\|(.*?)\\|(.*?)\\|.*\\|$").FindAllStringSubmatch(string(text), -1) {
		for _, name := range regexp.MustCompile("`([a-z0-9_]+)`").FindAllStringSubmatch(row[2], -1) {
			key := row[1] + " " + name[1]
			if _, twice := rows[key]; twice {
				t.Errorf("%s is explained twice", key)
			}
			rows[key] = readmeRow{strings.TrimSpace(row[3]), strings.TrimSpace(row[4])}
		}
	}
	return rows
}

// The README tells of every option of every section, and of no other: its type and range, and its default.
func TestReadmeExplainsTheOptions(t *testing.T) {
	rows := readmeRows(t)
	i, d := newInterface("lan"), newDaemon()
	explain := func(section string, options []option) {
		for n := range options {
			o := &options[n]
			if o.gone != "" {
				continue
			}
			key := section + " " + o.name
			row, known := rows[key]
			if !known && section == "dhcp" { // lan6d's own options of an interface
				key = "interface " + o.name
				row, known = rows[key]
			}
			if delete(rows, key); !known {
				t.Errorf("%s is not explained", key)
				continue
			}
			values, standard := explanation(o)
			if !strings.Contains(row.values, values) || !strings.Contains(row.standard, standard) {
				t.Errorf("%s: values %q, default %q; want %q, %q", key, row.values, row.standard, values, standard)
			}
		}
	}
	explain("dhcp", interfaceOptions(&i).options)
	explain("host", hostOptions(&host{}).options)
	explain("boot6", bootOptions(&bootFile{}).options)
	explain("odhcpd", odhcpdOptions(&d).options)
	explain("lan6d", daemonOptions(&d).options)
	for key := range rows {
		t.Errorf("there is no option %s", key)
	}
}

// explanation is what must be said of the values that an option takes, and of its default.
func explanation(o *option) (values, standard string) {
	is := func(setters ...any) bool {
		for _, setter := range setters {
			if reflect.ValueOf(setter).Pointer() == reflect.ValueOf(o.one).Pointer() {
				return true
			}
		}
		return false
	}
	isTime := o.one != nil && is(setTime, setDeclineTime, setInformationTime)
	switch {
	case o.many != nil:
		values = "list"
	case is(setBool, setChoice):
		values = "0, 1"
	case is(setInt, setClamped, setPDMinLength):
		values = fmt.Sprintf("%d to %d", o.low, o.high)
	case isTime:
		values = "time"
	case is(setPath):
		values = "a path"
	case is(setArch):
		values = "0 to 65535"
	}
	switch f := o.field.(type) {
	case *bool:
		if values == "0, 1" {
			standard = map[bool]string{false: "0", true: "1"}[*f]
		}
	case *int, *uint8, *uint16:
		standard = fmt.Sprint(reflect.ValueOf(f).Elem())
	case *uint32:
		if standard = strconv.Itoa(int(*f)); isTime {
			standard = formatTime(*f)
		}
		if *f == 0 { // a host's lease time
			standard = "the interface's"
		}
	case *time.Duration:
		standard = formatTime(uint32(*f / time.Second))
	case *Mode:
		standard = f.String()
	case *LogLevel:
		standard = f.String()
	}
	return values, standard
}
