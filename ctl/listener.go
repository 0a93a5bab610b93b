package ctl

import (
	"strings"
	"sync"
)

// LostEvents is the name of the notification that tells a listener how many events it has not been told of.
const LostEvents = "lost"

// listener is what a connection wants to hear, and has not been told yet.
type listener struct {
	ready chan struct{} // has a token when there is something to take

	mu       sync.Mutex // guards what follows
	patterns []string   // names, or beginnings of names with a * behind
	queue    []byte     // lines, at most maxQueue
	lost     int64      // events after those in queue
}

// add queues the line of an event, if it is wanted. Once one was lost all are, until the listener has read what is
// queued: so the number it is then told stands where they are missing.
func (l *listener) add(name, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !matchAny(l.patterns, name) {
		return
	}
	if l.lost > 0 || len(l.queue)+len(line) > maxQueue {
		l.lost++
	} else {
		l.queue = append(l.queue, line...)
	}
	l.wake()
}

func (l *listener) wake() {
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// take returns all there is to tell.
func (l *listener) take() string {
	l.mu.Lock()
	lines, lost := string(l.queue), l.lost
	l.queue, l.lost = nil, 0
	l.mu.Unlock()
	if lost == 0 {
		return lines
	}
	return lines + notification(LostEvents, func(w Writer) {
		w.BeginObject("")
		w.Int64("events", lost)
		w.EndObject()
	})
}

// matchAny reports whether one of the patterns means that name.
func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		beginning, ok := strings.CutSuffix(p, "*")
		if p == name || ok && strings.HasPrefix(name, beginning) {
			return true
		}
	}
	return false
}

// unknownPattern is the first pattern that means none of the names, if there is one.
func unknownPattern(patterns, names []string) (pattern string, ok bool) {
	for i, p := range patterns {
		known := false
		for _, name := range names {
			known = known || matchAny(patterns[i:i+1], name)
		}
		if !known {
			return p, true
		}
	}
	return "", false
}
