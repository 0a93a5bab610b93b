package ubus

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzMessage reads frames to the bottom. What was read is written again as it was, but for what pads it.
func FuzzMessage(f *testing.F) {
	for _, c := range captures(f) {
		for _, frame := range c.Frames {
			f.Add(frame.bytes(f))
		}
	}
	f.Add(rawFrame(nested(100)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		var m message
		if m.parse(b) {
			walkMessage(t, &m)
			var again message
			if w := rewriteFrame(&m); !again.parse(w) || !bytes.Equal(rewriteFrame(&again), w) {
				t.Fatalf("%x is written as %x and then as %x", b, w, rewriteFrame(&again))
			}
		}
		if !bytes.Equal(b, before) {
			t.Errorf("reading changed the frame to %x", b)
		}
	})
}

// walkMessage reads all there is in a message.
func walkMessage(t *testing.T, m *message) {
	for id := range uint32(15) {
		m.text(id)
		m.number(id)
		m.flag(id)
		args, err := ParseArgs(m.get(id, -1))
		walkArgs(t, args, 1)
		walkArgs(t, Args(m.get(id, -1)), -1000) // whoever skips the check must not panic either
		if err == nil {
			checkRewrite(t, args)
		}
	}
}

// walkArgs reads all elements. Those that were checked are deep at most maxDepth, from depth 1.
func walkArgs(t *testing.T, args Args, depth int) {
	if depth > maxDepth && len(args) > 0 {
		t.Fatalf("%d deep", depth)
	}
	for name, elements := range args.All() {
		kinds := 0
		if _, ok := args.String(name); ok {
			kinds++
		}
		if _, ok := args.Int(name); ok {
			kinds++
		}
		if _, ok := args.Bool(name); ok {
			kinds++
		}
		if list, ok := args.Strings(name); ok {
			kinds++
			if len(list) > len(args) {
				t.Fatalf("%d strings in %d octets", len(list), len(args))
			}
		}
		if kinds > 1 || !args.Has(name) || args.Kind(name) == "" {
			t.Fatalf("%q: %d kinds, %q", name, kinds, args.Kind(name))
		}
		if cap(elements) != len(elements) {
			t.Fatalf("%q has a capacity of %d, want its length %d", name, cap(elements), len(elements))
		}
		walkArgs(t, elements, depth+1)
	}
}

// checkRewrite writes the elements again. Only padding may differ, and what a name holds behind its end.
func checkRewrite(t *testing.T, args Args) {
	b := rewriteArgs(args)
	again, err := ParseArgs(b)
	if err != nil || !bytes.Equal(rewriteArgs(again), b) {
		t.Fatalf("%x is written as %x (%v) and then as %x", args, b, err, rewriteArgs(again))
	}
}

// pieces reads a stream in pieces of random lengths.
type pieces struct {
	rest   []byte
	random *rand.Rand
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := min(1+p.random.IntN(20), len(b), len(p.rest))
	copy(b, p.rest[:n])
	p.rest = p.rest[n:]
	return n, nil
}

// FuzzReadFrame cuts a stream anyhow. The frames do not depend on it, and are the stream.
func FuzzReadFrame(f *testing.F) {
	var stream []byte
	for _, c := range captures(f) {
		for _, frame := range c.Frames {
			stream = append(stream, frame.bytes(f)...)
		}
	}
	f.Add(stream, uint64(1))
	f.Add(stream[:1000], uint64(2))
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		whole := bytes.NewReader(stream)
		cut := &pieces{slices.Clone(stream), rand.New(rand.NewPCG(seed, 0))}
		read := 0
		for {
			want, wantErr := readFrame(whole)
			got, err := readFrame(cut)
			if err != wantErr || err == nil && !bytes.Equal(got, want) {
				t.Fatalf("frame %x, %v, want %x, %v", got, err, want, wantErr)
			}
			if err != nil {
				if err == errClosed && read != len(stream) {
					t.Fatalf("%d octets read of %d", read, len(stream))
				}
				return
			}
			if !bytes.Equal(got, stream[read:read+len(got)]) {
				t.Fatalf("frame %x at %d", got, read)
			}
			read += len(got)
		}
	})
}

// FuzzWriter does what the octets say with a Writer, right or wrong. What comes out is read as it was written.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("\x00r\x02a\x04b\x05c\x06d\x07e\x03\x04f\x01"))
	f.Add([]byte("\x00r\x00o\x02a\x00b\x04c\x01\x03\x01\x01"))
	f.Add(bytes.Repeat([]byte{0, 'n'}, 40))
	f.Add(append(append([]byte{0, 'r'}, bytes.Repeat([]byte{8, 'n'}, 300)...), 1))
	f.Fuzz(func(t *testing.T, script []byte) {
		var w Writer
		model := write(&w, script)
		b, err := w.content()
		if err != nil {
			if err == errNesting && model != nil {
				t.Fatalf("%x: %v", script, err)
			}
			return
		}
		args, err := ParseArgs(b)
		if err != nil {
			t.Fatalf("%x is written as %x: %v", script, b, err)
		}
		if len(b) > maxData {
			t.Fatalf("%d octets", len(b))
		}
		if len(script) > 0 {
			if model == nil {
				t.Fatalf("%x is not well formed, and is written as %x", script, b)
			}
			model.check(t, args)
		}
	})
}

// node is what was written, as it should be read.
type node struct {
	kind, name string
	parent     *node
	children   []*node
}

// write returns the outermost node, or nil if the script is not well formed.
func write(w *Writer, script []byte) *node {
	var root, at *node
	ended, wrong, depth := false, false, 0
	for len(script) > 0 {
		op := script[0] % 9
		script = script[1:]
		name := ""
		if op != 1 && op != 3 && len(script) > 0 {
			name, script = string(script[:1]), script[1:]
		}
		n := &node{name: name, parent: at, kind: []string{"object", "", "array", "", "number", "string", "boolean", "number", "string"}[op]}
		call(w, op, name)
		switch {
		case op == 0 && root == nil:
			root, at, depth = n, n, 1
			continue
		case op == 1 || op == 3:
			want := "object"
			if op == 3 {
				want = "array"
			}
			if at == nil || at.kind != want {
				wrong = true
				continue
			}
			at, depth = at.parent, depth-1
			ended = at == nil
			continue
		case at == nil || ended:
			wrong = true
			continue
		}
		if at.kind == "array" {
			n.name = ""
		}
		at.children = append(at.children, n)
		if op == 0 || op == 2 {
			if depth++; depth > maxDepth {
				wrong = true
			}
			at = n
		}
	}
	if wrong || !ended {
		return nil
	}
	return root
}

func call(w *Writer, op byte, name string) {
	switch op {
	case 0:
		w.BeginObject(name)
	case 1:
		w.EndObject()
	case 2:
		w.BeginArray(name)
	case 3:
		w.EndArray()
	case 4:
		w.Int32(name, -5)
	case 5:
		w.String(name, "text of "+name)
	case 6:
		w.Bool(name, true)
	case 7:
		w.Int64(name, 1<<40)
	case 8:
		w.String(name, string(bytes.Repeat([]byte("x"), 5000)))
	}
}

func (n *node) check(t *testing.T, args Args) {
	i := 0
	for name, elements := range args.All() {
		if i == len(n.children) {
			t.Fatalf("more than %d elements", i)
		}
		child := n.children[i]
		if kind := nth(args, i).Kind(name); name != child.name || kind != child.kind {
			t.Fatalf("%s %q, want %s %q", kind, name, child.kind, child.name)
		}
		child.check(t, elements)
		i++
	}
	if i != len(n.children) {
		t.Fatalf("%d elements, want %d", i, len(n.children))
	}
}
