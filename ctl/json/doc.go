// Package json reads and writes the JSON (RFC 8259) of the control channel. encoding/json would do, and weighs 60 KB (as
// xz) on a router.
//
// Where the RFC leaves a choice: of members with the same name the last counts; text that is not UTF-8 is refused; half of
// a surrogate pair reads as U+FFFD; a number that is no integer, or more than int64 holds, is a number that Int does not
// tell. But for the UTF-8 that is as in encoding/json, and the tests compare the two.
package json
