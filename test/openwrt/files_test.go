package openwrt

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// scripts are all that run on a router or make its packages.
var scripts = []string{
	"files/lan6d.init", "files/lan6d.defaults", "files/lan6d.handover", "files/lan6d.update", "files/lan6d.rpcd",
	"mkpkg/mkpkg.sh", "mkpkg/version.sh",
}

func TestScripts(t *testing.T) {
	for _, script := range scripts {
		path := "../../openwrt/" + script
		if out, err := exec.Command(lookPath(t, "shellcheck"), "-s", "dash", path).CombinedOutput(); err != nil {
			t.Errorf("%s", out)
		}
		if out, err := exec.Command(lookPath(t, "busybox"), "ash", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", script, out)
		}
	}
	// None is forgotten.
	for _, name := range append(glob(t, "files/*"), glob(t, "mkpkg/*")...) {
		path := "../../openwrt/" + name
		if strings.HasPrefix(string(read(t, path)), "#!") && !slices.Contains(scripts, name) {
			t.Errorf("%s is a script, too", name)
		}
	}
}

// glob returns files in the folder openwrt.
func glob(t *testing.T, pattern string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob("../../openwrt/" + pattern)
	if err != nil || len(paths) < 2 {
		t.Fatalf("%s: %q, %v", pattern, paths, err)
	}
	for _, path := range paths {
		names = append(names, strings.TrimPrefix(path, "../../openwrt/"))
	}
	return names
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(read(t, "../../openwrt/files/"+name), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// lan6d has three capabilities, and these also survive the exec of its program: they are ambient.
func TestCapabilities(t *testing.T) {
	var sets map[string][]string
	readJSON(t, "lan6d.capabilities", &sets)
	for _, set := range []string{"bounding", "effective", "ambient", "permitted", "inheritable"} {
		if want := []string{"CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_NET_BIND_SERVICE"}; !reflect.DeepEqual(sets[set], want) {
			t.Errorf("%s: %v", set, sets[set])
		}
	}
	if len(sets) != 5 {
		t.Errorf("sets: %v", sets)
	}
}

// What lan6d may do on the bus.
func TestBusRules(t *testing.T) {
	type object struct{ Methods []string }
	var rules struct {
		User, Group                      string
		Publish, Subscribe, Listen, Send []string
		Access                           map[string]object
	}
	readJSON(t, "lan6d.ubus-acl", &rules)
	if rules.User != "lan6d" || rules.Group != "" {
		t.Errorf("user %q, group %q", rules.User, rules.Group)
	}
	wantLines(t, rules.Publish, "lan6d", "dhcp")
	wantLines(t, rules.Subscribe, "network.interface")
	wantLines(t, rules.Listen, "ubus.object.add", "ubus.object.remove")
	wantLines(t, rules.Send, "dhcp.*", "lan6d.*")
	want := map[string]object{"network.interface": {[]string{"dump"}}, "service": {[]string{"signal"}}}
	if !reflect.DeepEqual(rules.Access, want) {
		t.Errorf("access: %v", rules.Access)
	}
}

// What a session of LuCI may ask: each method of the plugin once, to read or to write.
func TestSessionRules(t *testing.T) {
	type scopes struct {
		Ubus map[string][]string
		UCI  []string
	}
	var groups map[string]struct {
		Description string
		Read, Write scopes
	}
	readJSON(t, "lan6d.rpcd-acl", &groups)
	g := groups["lan6d"]
	if len(groups) != 1 || g.Description == "" || !slices.Equal(g.Read.UCI, []string{"lan6d"}) || !slices.Equal(g.Write.UCI, []string{"lan6d"}) {
		t.Errorf("%+v", groups)
	}
	r := newRouter(t)
	r.write("etc/config/lan6d", "config lan6d\n\toption ubus '0'\n", 0o600)
	var methods map[string]any
	if err := json.Unmarshal([]byte(r.run(plugin, "list")), &methods); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range methods {
		names = append(names, name)
	}
	granted := slices.Concat(g.Read.Ubus["lan6d"], g.Write.Ubus["lan6d"])
	slices.Sort(names)
	slices.Sort(granted)
	wantLines(t, granted, names...)
	wantLines(t, g.Write.Ubus["lan6d"], "add_lease", "del_lease", "reconfigure", "reload", "loglevel")
}

// Each file that is installed is explained.
func TestFilesAreExplained(t *testing.T) {
	text := string(read(t, "../../docs/OPENWRT.md"))
	for line := range strings.Lines(strings.TrimSpace(installed)) {
		if path := "/" + strings.Fields(line)[1]; !strings.Contains(text, "`"+path+"`") {
			t.Errorf("%s is not explained", path)
		}
	}
}

// A sysupgrade keeps what lan6d took over, and the copy of the leases.
func TestKeptOverSysupgrade(t *testing.T) {
	if got := string(read(t, "../../openwrt/files/lan6d.keep")); got != "/etc/lan6d.taken\n/etc/lan6d/\n" {
		t.Errorf("keep.d: %q", got)
	}
}

// The lease trigger has procd send SIGHUP to dnsmasq, which the user lan6d may not send itself.
func TestUpdate(t *testing.T) {
	r := newRouter(t)
	r.run("/usr/libexec/lan6d-update")
	wantLines(t, r.asked(), `ubus call service signal { "name": "dnsmasq", "signal": 1 }`)
}
