// Package tinyfmt formats messages and errors as package fmt does, without what that weighs: no reflection, no floating point.
// It knows the verbs %v, %s, %d, %x, %q, %w and %%, the flags +, - and 0, width and precision; and for values: strings, errors,
// what has a method String, integers. A value of another type, a named integer without String for example, becomes a
// question mark: convert it where it is given.
package tinyfmt

import (
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Sprintf is fmt.Sprintf.
func Sprintf(format string, args ...any) string {
	if false {
		_ = fmt.Sprintf(format, args...) // never linked; go vet learns from it to check the formats
	}
	return string(appendf(nil, format, args))
}

// Errorf is fmt.Errorf: each %w wraps an error.
func Errorf(format string, args ...any) error {
	if false {
		_ = fmt.Errorf(format, args...)
	}
	message := string(appendf(nil, format, args))
	var wrapped []error
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		var s spec
		i += s.parse(format[i+1:])
		if s.verb == 'w' {
			wrapped = append(wrapped, args[0].(error))
		}
		if s.verb != '%' {
			args = args[1:]
		}
	}
	switch len(wrapped) {
	case 0:
		return errors.New(message)
	case 1:
		return &wrapper{message, wrapped[0]}
	}
	return &wrappers{message, wrapped}
}

type wrapper struct {
	message string
	err     error
}

func (w *wrapper) Error() string { return w.message }
func (w *wrapper) Unwrap() error { return w.err }

type wrappers struct {
	message string
	errs    []error
}

func (w *wrappers) Error() string   { return w.message }
func (w *wrappers) Unwrap() []error { return w.errs }

func appendf(b []byte, format string, args []any) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b = append(b, format[i])
			continue
		}
		var s spec
		i += s.parse(format[i+1:])
		if s.verb == '%' {
			b = append(b, '%')
			continue
		}
		b = s.append(b, args[0])
		args = args[1:]
	}
	return b
}

// A spec is how one value is to be written: %-20s.
type spec struct {
	verb              byte
	plus, minus, zero bool
	width, precision  int // -1: as many as it takes
}

// parse reads what stands after the % and says how much that was.
func (s *spec) parse(format string) int {
	s.precision = -1
	number := &s.width
	for i := 0; i < len(format); i++ {
		switch c := format[i]; {
		case c == '+':
			s.plus = true
		case c == '-':
			s.minus = true
		case c == '0' && number == &s.width && s.width == 0:
			s.zero = true
		case c == '.':
			s.precision, number = 0, &s.precision
		case '0' <= c && c <= '9':
			*number = *number*10 + int(c-'0')
		default:
			s.verb = c
			return i + 1
		}
	}
	return len(format)
}

func (s *spec) append(b []byte, arg any) []byte {
	value := s.value(arg)
	fill := s.width - utf8.RuneCountInString(value)
	if s.minus {
		b = append(b, value...)
	}
	for ; fill > 0; fill-- {
		if s.zero && !s.minus {
			b = append(b, '0')
		} else {
			b = append(b, ' ')
		}
	}
	if !s.minus {
		b = append(b, value...)
	}
	return b
}

func (s *spec) value(arg any) string {
	if n, ok := integer(arg); ok {
		if s.verb == 'x' {
			return strconv.FormatUint(n, 16)
		}
		if signed, ok := arg.(int); ok {
			return strconv.Itoa(signed)
		}
		return strconv.FormatUint(n, 10)
	}
	value := written(arg)
	if s.precision >= 0 {
		value = cut(value, s.precision)
	}
	switch {
	case s.verb == 'q' && s.plus:
		return strconv.QuoteToASCII(value)
	case s.verb == 'q':
		return strconv.Quote(value)
	}
	return value
}

// cut is the first n characters of a text.
func cut(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// integer is an integer's value; a negative one is an int.
func integer(arg any) (uint64, bool) {
	switch n := arg.(type) {
	case int:
		return uint64(n), true
	case uint8:
		return uint64(n), true
	case uint16:
		return uint64(n), true
	case uint32:
		return uint64(n), true
	case uint64:
		return n, true
	}
	return 0, false
}

func written(arg any) string {
	switch v := arg.(type) {
	case string:
		return v
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case nil:
		return "<nil>"
	}
	return "?"
}
