package ctl

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const manPage = "../docs/lan6d.8"

// renderMan is the man page as a reader sees it. Whatever man or mandoc warns of is an error.
func renderMan(t *testing.T) string {
	t.Helper()
	if out, err := exec.Command("mandoc", "-Tlint", "-Wstyle", manPage).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("mandoc: %v\n%s", err, out)
	}
	cmd := exec.Command("man", "--warnings=w", "-E", "ascii", "-l", manPage)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "MANWIDTH=1000", "MAN_KEEP_FORMATTING=", "MANPAGER=cat")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("man: %v\n%s", err, &stderr)
	}
	text := regexp.MustCompile(".\b").ReplaceAllString(stdout.String(), "")
	return strings.Join(strings.Fields(text), " ")
}

// TestMan: the page can be shown, and says of the command line what is so.
func TestMan(t *testing.T) {
	page := renderMan(t)
	for _, section := range []string{"NAME", "SYNOPSIS", "CONTROL", "SIGNALS", "FILES", "EXIT STATUS", "SEE ALSO"} {
		if !strings.Contains(page, " "+section+" ") {
			t.Errorf("there is no section %s in\n%s", section, page)
		}
	}
	for _, c := range commands {
		synopsis := c.name
		for _, o := range regexp.MustCompile(`\[(--[a-z]+)`).FindAllStringSubmatch(c.usage, -1) {
			synopsis += ".*" + o[1]
		}
		if !regexp.MustCompile(synopsis).MatchString(page) {
			t.Errorf("%s %s is not in the page", c.name, c.usage)
		}
	}
	main, err := os.ReadFile("../main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, usage, _ := strings.Cut(string(main), "const usage = `")
	usage, _, _ = strings.Cut(usage, "`")
	options := regexp.MustCompile(`(?m)^  (-[a-zA-Z])`).FindAllStringSubmatch(usage, -1)
	if len(options) < 5 {
		t.Fatalf("only %d options found in main.go: is this test still looking at the right thing?", len(options))
	}
	for _, o := range options {
		if !strings.Contains(page, " "+o[1]+" ") {
			t.Errorf("option %s of lan6d is not in the page", o[1])
		}
	}
	for _, o := range strings.Fields(commonUsage + liveUsage) {
		if o = strings.Trim(o, "[]"); strings.HasPrefix(o, "-") && o != "--help" && !strings.Contains(page, " "+o+" ") {
			t.Errorf("option %s of lan6d ctl is not in the page", o)
		}
	}
}

// TestManFiles: the page names the files that lan6d keeps in its state directory.
func TestManFiles(t *testing.T) {
	page := renderMan(t)
	sources, _ := filepath.Glob("../*.go")
	found := 0
	for _, path := range sources {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, name := range regexp.MustCompile(`"([a-z0-9]+\.(?:journal|duid|lock))"`).FindAllStringSubmatch(string(content), -1) {
			found++
			if !strings.Contains(page, " "+DefaultDir+"/"+name[1]+" ") {
				t.Errorf("%s is not in the page", name[1])
			}
		}
	}
	if found < 4 {
		t.Errorf("only %d files found in the sources: is this test still looking at the right thing?", found)
	}
}

// TestContract: docs/CTL.md names every method that a command calls, with its arguments, and the codes and limits that are.
func TestContract(t *testing.T) {
	content, err := os.ReadFile("../docs/CTL.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]string)
	for line := range strings.Lines(string(content)) {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			rows[strings.Trim(cells[1], " `")] = line
		}
	}
	for _, c := range commands {
		method := strings.ReplaceAll(c.name, "-", "_")
		row, ok := rows[method]
		if !ok && method != "call" {
			t.Errorf("method %s is not there", method)
		}
		for _, o := range regexp.MustCompile(`\[--([a-z]+)`).FindAllStringSubmatch(c.usage, -1) {
			if !strings.Contains(row, "`"+o[1]+"`") {
				t.Errorf("method %s: argument %s is not there", method, o[1])
			}
		}
	}
	for _, name := range stubEvents {
		if rows[name] == "" {
			t.Errorf("event %s is not there", name)
		}
	}
	for _, code := range []string{"-32700", "-32600", "-32601", "-32602", "-32000", "-32001"} {
		if rows[code] == "" {
			t.Errorf("code %s is not there", code)
		}
	}
}
