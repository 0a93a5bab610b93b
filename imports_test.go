package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The imports that docs/DESIGN.md allows between the packages of this module. A package that is missing here may import
// none of the others.
var allowed = map[string][]string{
	"lan6d":                      {"lan6d/dhcpv6/tinyfmt", "lan6d/dhcpv6", "lan6d/dhcpv6/lease", "lan6d/dhcpv6/lease/journal", "lan6d/dhcpv6/server", "lan6d/ctl", "lan6d/netif", "lan6d/openwrt", "lan6d/openwrt/ubus", "lan6d/relay"},
	"lan6d/openwrt":              {"lan6d/dhcpv6/tinyfmt", "lan6d/openwrt/uci", "lan6d/dhcpv6", "lan6d/dhcpv6/server", "lan6d/dhcpv6/lease", "lan6d/relay"},
	"lan6d/dhcpv6/server":        {"lan6d/dhcpv6/tinyfmt", "lan6d/dhcpv6/lease", "lan6d/dhcpv6"},
	"lan6d/dhcpv6/lease":         {"lan6d/dhcpv6/tinyfmt", "lan6d/dhcpv6"},
	"lan6d/dhcpv6/lease/journal": {"lan6d/dhcpv6/tinyfmt", "lan6d/dhcpv6/lease"},
	"lan6d/relay":                {"lan6d/dhcpv6/tinyfmt", "lan6d/dhcpv6", "lan6d/dhcpv6/lease"},
	"lan6d/ctl":                  {"lan6d/ctl/json"},
	"lan6d/dhcpv6":               {"lan6d/dhcpv6/tinyfmt"},
	"lan6d/netif":                {"lan6d/dhcpv6/tinyfmt"},
	"lan6d/openwrt/uci":          {"lan6d/dhcpv6/tinyfmt"},
}

// The modules that may be in the binary: three, and what these import.
var modules = []string{
	"golang.org/x/sys", "github.com/mdlayher/netlink", "github.com/mdlayher/socket", "golang.org/x/net/bpf", "golang.org/x/sync/errgroup",
}

// The packages without I/O do not import any of these: no socket, no file, no log.
var impure = []string{"os", "net", "log", "syscall", "os/exec", "io/fs", "golang.org/x/sys/unix"}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}

func TestImportsWithin(t *testing.T) {
	edges := goList(t, "-f", `{{$p := .ImportPath}}{{range .Imports}}{{$p}}>{{.}} {{end}}`, "./...")
	seen := 0
	for _, edge := range edges {
		from, to, _ := strings.Cut(edge, ">")
		if !strings.HasPrefix(to, "lan6d") || strings.HasPrefix(from, "lan6d/test/") || strings.HasSuffix(from, "test") {
			continue
		}
		seen++
		if !slices.Contains(allowed[from], to) {
			t.Errorf("%s imports %s: docs/DESIGN.md does not allow that", from, to)
		}
	}
	if seen < 8 {
		t.Errorf("only %d imports seen: is this test still looking at the right thing?", seen)
	}
}

func TestDependencies(t *testing.T) {
	deps := goList(t, "-deps", "-f", `{{if not .Standard}}{{.ImportPath}}{{end}}`, ".")
	if len(deps) < 8 {
		t.Errorf("only %d packages in the binary: is this test still looking at the right thing?", len(deps))
	}
	for _, dep := range deps {
		if dep != "lan6d" && !strings.HasPrefix(dep, "lan6d/") && !within(modules, dep) {
			t.Errorf("%s is in the binary: only %s are allowed, and what they import", dep, strings.Join(modules[:3], ", "))
		}
	}
}

func TestPurePackages(t *testing.T) {
	for _, pkg := range []string{"./dhcpv6", "./dhcpv6/lease", "./dhcpv6/server", "./relay", "./ctl/json"} {
		imports := goList(t, "-f", `{{range .Imports}}{{.}} {{end}}`, pkg)
		if len(imports) == 0 {
			t.Errorf("%s imports nothing: is this test still looking at the right thing?", pkg)
		}
		for _, path := range imports {
			if slices.Contains(impure, path) {
				t.Errorf("%s imports %s: what the RFC says is pure", pkg, path)
			}
		}
	}
}

// TestNoWeight keeps packages out of the binary that a router's flash has no room for.
func TestNoWeight(t *testing.T) {
	for _, dep := range goList(t, "-deps", ".") {
		if slices.Contains([]string{"net/http", "log/slog", "encoding/json", "crypto/tls", "regexp", "flag", "text/tabwriter"}, dep) {
			t.Errorf("%s is in the binary", dep)
		}
	}
}

// within reports whether the package is one of the modules or packages listed, or below one.
func within(list []string, path string) bool {
	for _, e := range list {
		if path == e || strings.HasPrefix(path, e+"/") {
			return true
		}
	}
	return false
}
