package ctl

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lan6d/ctl/json"
)

// What a terminal is told: a second screen, no cursor, no line that goes on in the next; and all of that undone.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearRight  = "\x1b[K"
	clearBelow  = "\x1b[J"
)

// live shows the reply and those of further calls, until a key or a signal ends it.
func (i *invocation) live(reply *json.Value) error {
	if t, ok := terminalOf(i.stdout); !ok || !t.steerable {
		return &Error{InvalidParams, "--watch needs a terminal that can move its cursor"}
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGWINCH, unix.SIGINT, unix.SIGTERM, unix.SIGHUP)
	defer signal.Stop(signals)
	keys := make(chan byte)
	if restore := rawKeys(i.stdin); restore != nil {
		defer restore()
		go readKeys(i.stdin, keys)
	}
	i.print(enterScreen)
	defer i.print(leaveScreen)
	return i.follow(answered{reply: reply}, keys, signals)
}

// readKeys hands over keys for as long as there are any.
func readKeys(from *os.File, keys chan<- byte) {
	key := make([]byte, 1)
	for {
		if n, _ := from.Read(key); n == 0 {
			return
		}
		keys <- key[0]
	}
}

// answered is the outcome of a call.
type answered struct {
	reply *json.Value
	err   error
}

// follow draws, and calls the method again when it is time to. While it waits for the answer, keys and signals count.
func (i *invocation) follow(last answered, keys <-chan byte, signals <-chan os.Signal) error {
	const interrupt = 3 // Ctrl-C
	answers := make(chan answered, 1)
	ask := func() {
		time.Sleep(time.Duration(i.watch) * time.Second)
		reply, err := i.call()
		answers <- answered{reply, err}
	}
	go ask()
	for {
		if err := i.print(i.draw(last)); err != nil {
			return err
		}
		select {
		case last = <-answers:
			go ask()
		case key := <-keys:
			if key == 'q' || key == interrupt {
				return nil
			}
		case s := <-signals:
			if s != unix.SIGWINCH {
				return nil
			}
		}
	}
}

// draw is the view: as many lines of it as there is room for, over what was there.
func (i *invocation) draw(last answered) string {
	t, _ := terminalOf(i.stdout)
	p := i.page()
	p.fixed = true
	p.line(dim, i.name+" "+i.command.name+", every "+strconv.Itoa(i.watch)+"s; q ends it")
	if last.err != nil {
		p.line(red, last.err.Error())
	} else {
		p.show(i.command.view, last.reply)
	}
	lines := strings.Split(strings.TrimSuffix(p.text.String(), "\n"), "\n")
	if hidden := len(lines) - t.height; hidden > 0 {
		lines = append(lines[:t.height-1], "("+strconv.Itoa(hidden+1)+" more lines)")
	}
	// What was there is cleared before a line is written: after one that fills the screen, the cursor is still on its last
	// character.
	lines[len(lines)-1] = clearBelow + lines[len(lines)-1]
	return home + clearRight + strings.Join(lines, "\r\n"+clearRight)
}
