package openwrt

import (
	"strings"
	"testing"
)

func TestResolveModes(t *testing.T) {
	for _, tt := range []struct{ in, want string }{ // * marks a master
		{"server", "server"},
		{"disabled", "disabled"},
		{"*server", "server"},
		{"relay", "relay!"},    // stays relay even with no master
		{"hybrid", "server"},   // no master at all
		{"*relay", "disabled"}, // nobody to relay for
		{"*relay server", "disabled server"},
		{"*relay relay", "relay! relay!"},
		{"*relay hybrid", "relay! relay!"},
		{"hybrid *relay", "relay! relay!"},
		{"*relay hybrid server", "relay! relay! server"},
		{"*disabled hybrid", "disabled server"},
		{"*server hybrid", "server server"},
		{"*hybrid hybrid", "disabled! server"}, // it would depend on netifd
		{"*hybrid", "disabled!"},
	} {
		var interfaces []Interface
		for _, word := range strings.Fields(tt.in) {
			i := newInterface("lan")
			mode, master := strings.CutPrefix(word, "*")
			i.Master = master
			var err error
			if i.Mode, err = parseMode(mode); err != nil {
				t.Fatal(err)
			}
			interfaces = append(interfaces, i)
		}
		b := &builder{config: &Config{}}
		resolveModes(b, interfaces)
		var got []string
		warnings := 0
		for n := range interfaces {
			got = append(got, interfaces[n].Role.String())
		}
		warnings = strings.Count(tt.want, "!")
		if strings.Join(got, " ") != strings.ReplaceAll(tt.want, "!", "") || len(b.problems) != warnings {
			t.Errorf("%s: got %s with %v, want %s", tt.in, got, b.problems, tt.want)
		}
		for _, p := range b.problems {
			if p.Severity != Warning || !strings.Contains(p.Text, "relaying is not built in yet") {
				t.Errorf("%s: %v", tt.in, p)
			}
		}
	}
}
