package openwrt

import (
	"encoding/json"
	"strings"
	"testing"
)

const plugin = "/usr/libexec/rpcd/lan6d"

// Where the daemon publishes itself, the plugin has nothing to say, and rpcd does not publish it.
func TestPluginIsQuiet(t *testing.T) {
	for _, own := range []string{"", "config lan6d 'daemon'\n", "config lan6d 'daemon'\n\toption ubus '1'\n"} {
		r := newRouter(t)
		r.write("etc/config/lan6d", own, 0o600)
		if out := r.run(plugin, "list"); out != "" {
			t.Errorf("with %q: %s", own, out)
		}
	}
}

func TestPluginList(t *testing.T) {
	for _, off := range []string{"0", "false"} {
		r := newRouter(t)
		r.write("etc/config/lan6d", "config interface 'lan'\n\nconfig lan6d\n\toption ubus '"+off+"'\n", 0o600)
		var methods map[string]map[string]any
		if err := json.Unmarshal([]byte(r.run(plugin, "list")), &methods); err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Fields("list status interfaces leases ipv6leases add_lease del_lease reconfigure reload check loglevel metrics dump") {
			if _, ok := methods[name]; !ok {
				t.Errorf("there is no method %s", name)
			}
			delete(methods, name)
		}
		if len(methods) > 0 {
			t.Errorf("more methods: %v", methods)
		}
	}
}

// Arguments and answers pass as they are; rpcd puts no newline behind the arguments.
func TestPluginCall(t *testing.T) {
	r := newRouter(t)
	for _, arguments := range []string{
		`{}`, `{"interface":"lan","ubus_rpc_session":"0123"}`, "{\"name\":\"it's $(id) `id` \\\"x\\\" *\"}", `{"duid":["00"],"n":-1}`,
	} {
		r.write("tmp/answer", `{"leases":[],"text":"$(id) \\n"}`+"\n", 0o644)
		r.write("tmp/arguments", arguments, 0o644)
		if out := r.run("sh", "-c", plugin+" call leases </tmp/arguments"); out != `{"leases":[],"text":"$(id) \\n"}`+"\n" {
			t.Errorf("answer: %q", out)
		}
		if asked := r.read("tmp/asked"); asked != "ctl\ncall\nleases\n"+arguments+"\n" {
			t.Errorf("lan6d was asked %q", asked)
		}
	}
}

// rpcd takes an object only, and does not care for the exit status: what is wrong is told in one.
func TestPluginError(t *testing.T) {
	r := newRouter(t)
	r.write("tmp/status", "1", 0o644)
	r.write("tmp/answer", `add_lease: hostid "x\y" is no number`+"\n", 0o644)
	var answer map[string]string
	if err := json.Unmarshal([]byte(r.run("sh", "-c", "echo '{}' | "+plugin+" call add_lease")), &answer); err != nil {
		t.Fatal(err)
	}
	if answer["error"] != `add_lease: hostid "x\y" is no number` {
		t.Errorf("%q", answer)
	}
}
