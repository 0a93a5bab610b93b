package ctl

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// terminal is the one that a command prints to.
type terminal struct {
	width, height int
	steerable     bool // it moves its cursor, and knows colours
}

// terminalOf returns the terminal behind a writer, if there is one. One that does not know its size has the usual one.
func terminalOf(w io.Writer) (t terminal, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return t, false
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return t, false
	}
	t.width, t.height = int(size.Col), int(size.Row)
	if t.width == 0 || t.height == 0 {
		t.width, t.height = 80, 24
	}
	kind := os.Getenv("TERM")
	t.steerable = kind != "" && kind != "dumb"
	return t, true
}

// page is an empty page as wide as the terminal.
func (i *invocation) page() *page {
	t, _ := terminalOf(i.stdout)
	return &page{width: t.width, color: t.steerable && os.Getenv("NO_COLOR") == ""}
}

// rawKeys has a terminal hand over each key at once, and not show it. It returns what undoes that; nil: f is none.
func rawKeys(f *os.File) (restore func()) {
	if f == nil {
		return nil
	}
	fd := int(f.Fd())
	was, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil
	}
	raw := *was
	raw.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	unix.IoctlSetTermios(fd, unix.TCSETS, &raw)
	return func() { unix.IoctlSetTermios(fd, unix.TCSETS, was) }
}
