package ctl

import (
	"strconv"

	"lan6d/ctl/json"
)

// Codes of errors: those of JSON-RPC 2.0, and ours.
const (
	ParseError     = -32700
	InvalidRequest = -32600
	MethodNotFound = -32601
	InvalidParams  = -32602
	Failed         = -32000 // it was tried and did not work, or the daemon refuses
	Denied         = -32001 // this peer may not
)

// Error is the answer to a request that was not carried out.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return e.Message }

// Peer is the process at the other end of a connection, as it was when it connected.
type Peer struct {
	PID      int32
	UID, GID uint32
}

// Request is a call that passed all checks and waits for its answer: one call of Reply or Fail, now or later. Neither
// waits for anything. Further ones are ignored.
type Request struct {
	Method string
	Args   *Args
	Peer   Peer
	id     string      // as JSON; empty: a notification, which is carried out and not answered
	done   chan string // the line of the answer; empty: there is none
}

// Reply answers with the object that write writes; nil: an empty one. write is called at once, or not at all.
func (r *Request) Reply(write func(w Writer)) {
	line := ""
	if r.id != "" {
		line = object(`{"jsonrpc":"2.0","id":`+r.id+`,"result":`, write)
	}
	r.answer(line)
}

// Fail answers that the request was not carried out, and why.
func (r *Request) Fail(code int, message string) { r.answer(failure(r.id, code, message)) }

func (r *Request) answer(line string) {
	select {
	case r.done <- line:
	default:
	}
}

// null is the id of the answer to what is no request.
const null = "null"

// failure is the answer to a request of that id; empty if it has none.
func failure(id string, code int, message string) string {
	if id == "" {
		return ""
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"error":{"code":` + strconv.Itoa(code) + `,"message":` +
		json.Quote(message) + "}}\n"
}

// notification is a line that no request has asked for.
func notification(name string, write func(w Writer)) string {
	return object(`{"jsonrpc":"2.0","method":`+json.Quote(name)+`,"params":`, write)
}

// object is a line that begins with head and ends with an object.
func object(head string, write func(w Writer)) string {
	if write == nil {
		return head + "{}}\n"
	}
	w := json.NewWriter([]byte(head))
	write(w)
	return string(w.Bytes()) + "}\n"
}
