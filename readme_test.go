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
	checkOptions(t, readme, read(t, "openwrt/files/lan6d.config"))
	for _, file := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat(file[1]); err != nil {
			t.Errorf("a link leads nowhere: %v", err)
		}
	}
}

// checkOptions compares the README's table of options with the file that the package installs, which a test of package openwrt
// holds to the code: the same options, the same defaults.
func checkOptions(t *testing.T, readme, file string) {
	t.Helper()
	values := make(map[string]string)
	for _, option := range regexp.MustCompile(`(?m)^#\toption ([a-z_]+) '([^']*)'`).FindAllStringSubmatch(file, -1) {
		values[option[1]] = option[2]
	}
	if len(values) < 20 {
		t.Fatalf("only %d options found in lan6d.config: is this test still looking at the right thing?", len(values))
	}
	name := regexp.MustCompile("`([a-z_]+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| `(?:lan6d|interface)` \\|(.*?)\\|.*\\|(.*)\\|(.*)\\|$").FindAllStringSubmatch(readme, -1) {
		for _, option := range name.FindAllStringSubmatch(row[1], -1) {
			value, known := values[option[1]]
			if delete(values, option[1]); !known && option[1] != "max_offers" { // which there are two of
				t.Errorf("option %s of the README is not in lan6d.config", option[1])
			}
			if def := row[2]; known && !strings.Contains(def, value) && !strings.Contains(def, "none") && !strings.Contains(def, "not sent") && !strings.Contains(def, "1 if") {
				t.Errorf("option %s: default %s in the README, %s in lan6d.config", option[1], def, value)
			}
		}
	}
	for option := range values {
		t.Errorf("option %s of lan6d.config is not in the README", option)
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
