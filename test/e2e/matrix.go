package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A matrix is the outcome of every exchange with every client.
type matrix struct {
	title string
	rows  []string
	cols  []string

	mu    sync.Mutex
	cells map[[2]string]string
	notes []string
}

func (m *matrix) set(row, col, outcome string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cells == nil {
		m.cells = make(map[[2]string]string)
	}
	m.cells[[2]string{row, col}] = outcome
}

// limit marks a cell with a note that says why the exchange cannot be had with this client.
func (m *matrix) limit(row, col, why string) {
	m.mu.Lock()
	i := len(m.notes)
	for j, note := range m.notes {
		if note == why {
			i = j
		}
	}
	if i == len(m.notes) {
		m.notes = append(m.notes, why)
	}
	m.mu.Unlock()
	m.set(row, col, fmt.Sprintf("limit %d", i+1))
}

// limited is the number of cells in a row with a limit.
func (m *matrix) limited(row string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, col := range m.cols {
		if strings.HasPrefix(m.cells[[2]string{row, col}], "limit") {
			n++
		}
	}
	return n
}

var tables = flag.String("tables", "", "directory to write the tables of outcomes to, in Markdown")

// published is where the tables that the README points to are.
const published = "../../docs/tested"

// show logs the matrix, and writes it to a file if that is asked for; if not, the published one must say the same.
func (m *matrix) show(t *testing.T, name string) {
	t.Logf("\n%s", m)
	if *tables != "" {
		if err := os.WriteFile(filepath.Join(*tables, name), []byte(m.String()), 0o644); err != nil {
			t.Error(err)
		}
		return
	}
	want, err := os.ReadFile(filepath.Join(published, name))
	if err != nil {
		t.Error(err)
	} else if m.complete() && m.String() != string(want) {
		t.Errorf("docs/tested/%s says something else: go test ./test/e2e -tables ../../docs/tested writes it anew", name)
	}
}

// complete reports whether every cell has an outcome: not so with go test -run.
func (m *matrix) complete() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.cells) == len(m.rows)*len(m.cols)
}

// String is the matrix as an aligned table, which is Markdown too.
func (m *matrix) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := [][]string{append([]string{m.title}, m.cols...)}
	for _, row := range m.rows {
		line := []string{row}
		for _, col := range m.cols {
			line = append(line, m.cells[[2]string{row, col}])
		}
		lines = append(lines, line)
	}
	width := make([]int, len(m.cols)+1)
	for _, line := range lines {
		for i, cell := range line {
			width[i] = max(width[i], len(cell))
		}
	}
	var b strings.Builder
	for i, line := range lines {
		writeRow(&b, line, width, " ")
		if i == 0 {
			rule := make([]string, len(width))
			for i, w := range width {
				rule[i] = strings.Repeat("-", w+2)
			}
			writeRow(&b, rule, width, "")
		}
	}
	b.WriteString("\n")
	for i, note := range m.notes {
		fmt.Fprintf(&b, "%d. %s\n", i+1, note)
	}
	return b.String()
}

func writeRow(b *strings.Builder, cells []string, width []int, pad string) {
	for i, cell := range cells {
		fmt.Fprintf(b, "|%s%-*s%s", pad, width[i], cell, pad)
	}
	b.WriteString("|\n")
}
