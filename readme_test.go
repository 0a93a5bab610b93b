package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadme compares what the README says with what is so.
func TestReadme(t *testing.T) {
	readme := read(t, "README.md")
	table, _, _ := strings.Cut(read(t, "docs/tested/clients.md"), "\n\n")
	if !strings.Contains(readme, table) {
		t.Error("the table of clients is not that of docs/tested/clients.md")
	}
	options := regexp.MustCompile(`(?m)^#\toption ([a-z_]+) `).FindAllStringSubmatch(read(t, "openwrt/files/lan6d.config"), -1)
	if len(options) < 10 {
		t.Fatalf("only %d options found in lan6d.config: is this test still looking at the right thing?", len(options))
	}
	for _, option := range options {
		// The README leaves those to odhcpd's documentation that only override odhcpd's.
		if name := option[1]; !strings.Contains(readme, "`"+name+"`") && !strings.Contains("leasefile hostsdir leasetrigger enable_tz", name) {
			t.Errorf("option %s of lan6d.config is not in the README", name)
		}
	}
	for _, file := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(file[1]); err != nil {
			t.Errorf("a link leads nowhere: %v", err)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
