package ubus

// Error is what can go wrong, in words.
type Error string

func (e Error) Error() string { return string(e) }

// ErrTooLong is the error for what the bus cannot carry.
const ErrTooLong Error = "message longer than ubus can carry, which is 1 MiB"

const (
	errNesting   Error = "objects and arrays that do not begin and end where they must, or deeper than 32"
	errElement   Error = "blobmsg element that is not well formed"
	errDepth     Error = "blobmsg deeper than 32"
	errClosed    Error = "ubusd closed the connection"
	errHalfFrame Error = "ubusd closed the connection in the middle of a message"
	errLength    Error = "ubusd sent what is no message: its length is not in 4..1048576"
	errNoHello   Error = "what listens there is not ubusd: it does not say hello"
	errNoAnswer  Error = "ubusd does not answer"
	errSlow      Error = "ubusd does not read what it is sent"
)

// Status is how a call ended.
type Status uint32

// What ubusd and the owners of objects answer.
const (
	StatusOK Status = iota
	StatusInvalidCommand
	StatusInvalidArgument
	StatusMethodNotFound
	StatusNotFound
	StatusNoData
	StatusPermissionDenied
	StatusTimeout
	StatusNotSupported
	StatusUnknownError
	StatusConnectionFailed
	StatusNoMemory
	StatusParseError
	StatusSystemError
	numStatus
)

var statusTexts = [numStatus]string{
	StatusOK:               "ok",
	StatusInvalidCommand:   "invalid command",
	StatusInvalidArgument:  "invalid argument",
	StatusMethodNotFound:   "method not found",
	StatusNotFound:         "not found",
	StatusNoData:           "no data",
	StatusPermissionDenied: "permission denied",
	StatusTimeout:          "no answer in time",
	StatusNotSupported:     "not supported",
	StatusUnknownError:     "unknown error",
	StatusConnectionFailed: "not connected",
	StatusNoMemory:         "out of memory",
	StatusParseError:       "malformed message",
	StatusSystemError:      "system error",
}

// String is the status in words.
func (s Status) String() string {
	if s >= numStatus {
		s = StatusUnknownError
	}
	return statusTexts[s]
}
