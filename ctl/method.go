package ctl

import (
	"strings"

	"lan6d/ctl/json"
)

// Args are the arguments of a call: an object; nil: there are none.
type Args = json.Value

// Writer is what a reply is written with. It is an interface so that a reply is written once, for JSON and for ubus.
// The outermost is BeginObject(""); within arrays names do not count.
type Writer interface {
	BeginObject(name string)
	EndObject()
	BeginArray(name string)
	EndArray()
	String(name, value string)
	Int32(name string, value int32)
	Int64(name string, value int64)
	Bool(name string, value bool)
}

// Method is what can be called.
type Method struct {
	Name    string
	Doc     string // one line
	Changes bool   // only for root and the daemon's own user
	Args    []Arg
}

// Arg is an argument of a method. It may be left out.
type Arg struct {
	Name   string
	Type   Type
	Values []string // of a string, what it may be; nil: anything
	Doc    string
}

// Type is what an argument may be.
type Type uint8

// The types of arguments.
const (
	String  Type = iota
	Strings      // an array of strings; a string alone counts as an array of one
	Integer
	Boolean
)

// String is the type as method list tells it.
func (t Type) String() string {
	return [...]string{"string", "array of strings", "integer", "boolean"}[t]
}

// session is an argument that rpcd adds to calls that come through HTTP.
const session = "ubus_rpc_session"

// check compares arguments with the table. It returns what is wrong: the argument, its value, and what is allowed.
func (m *Method) check(args *Args) (wrong string) {
	if args == nil {
		return ""
	}
	for i := range args.Items {
		name := args.Items[i].Name
		a := m.arg(name)
		switch {
		case a == nil && name == session:
		case a == nil:
			return "there is no argument " + shorten(name) + "; " + m.Name + " takes " + m.names()
		case args.Get(name) != &args.Items[i]:
			return name + ": given twice"
		case !a.allows(args):
			return name + ": " + shorten(args.Items[i].Raw) + " is not " + a.wants()
		}
	}
	return ""
}

func (m *Method) arg(name string) *Arg {
	for i := range m.Args {
		if m.Args[i].Name == name {
			return &m.Args[i]
		}
	}
	return nil
}

func (m *Method) names() string {
	names := ""
	for i := range m.Args {
		names += ", " + m.Args[i].Name
	}
	if names == "" {
		return "none"
	}
	return names[2:]
}

// allows reports whether the argument, which is given, is what it may be.
func (a *Arg) allows(args *Args) (ok bool) {
	switch a.Type {
	case String:
		var s string
		s, ok = args.String(a.Name)
		return ok && (a.Values == nil || contains(a.Values, s))
	case Strings:
		_, ok = args.Strings(a.Name)
	case Integer:
		_, ok = args.Int(a.Name)
	case Boolean:
		_, ok = args.Bool(a.Name)
	}
	return ok
}

func (a *Arg) wants() string {
	if a.Values != nil {
		return "one of " + strings.Join(a.Values, " ")
	}
	return "of type " + a.Type.String()
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// shorten cuts what a message quotes from a request.
func shorten(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// writeList writes the reply of list.
func (c *Config) writeList(w Writer) {
	w.BeginObject("")
	w.BeginArray("methods")
	for i := range c.Methods {
		c.Methods[i].write(w)
	}
	w.EndArray()
	writeStrings(w, "events", c.Events)
	w.EndObject()
}

func (m *Method) write(w Writer) {
	w.BeginObject("")
	w.String("name", m.Name)
	w.String("doc", m.Doc)
	w.Bool("changes", m.Changes)
	w.BeginArray("arguments")
	for i := range m.Args {
		a := &m.Args[i]
		w.BeginObject("")
		w.String("name", a.Name)
		w.String("type", a.Type.String())
		if a.Values != nil {
			writeStrings(w, "values", a.Values)
		}
		w.String("doc", a.Doc)
		w.EndObject()
	}
	w.EndArray()
	w.EndObject()
}

func writeStrings(w Writer, name string, list []string) {
	w.BeginArray(name)
	for _, s := range list {
		w.String("", s)
	}
	w.EndArray()
}
