package main

import (
	"errors"
	"io"

	"lan6d/dhcpv6/tinyfmt"
)

// argument is an option of the command line. Exactly one of text and flag is set.
type argument struct {
	letter byte
	text   *string // "-x VALUE" or "-xVALUE"
	flag   *bool   // "-x"
}

var errHelp = errors.New("help wanted")

// parseArguments reads options of one letter, each with its value if it has one, and no other argument. Package flag
// would do, and weighs 45 KB on a router.
func parseArguments(known []argument, args []string) error {
	for ; len(args) > 0; args = args[1:] {
		arg := args[0]
		if arg == "-h" || arg == "-help" || arg == "--help" {
			return errHelp
		}
		if len(arg) < 2 || arg[0] != '-' {
			return tinyfmt.Errorf("unexpected argument %q", arg)
		}
		option := find(known, arg[1])
		switch {
		case option == nil, option.flag != nil && len(arg) > 2:
			return tinyfmt.Errorf("there is no option %s", arg)
		case option.flag != nil:
			*option.flag = true
		case len(arg) > 2:
			*option.text = arg[2:]
		case len(args) == 1 || args[1] == "":
			return tinyfmt.Errorf("option %s needs a value", arg)
		default:
			*option.text = args[1]
			args = args[1:]
		}
	}
	return nil
}

func find(known []argument, letter byte) *argument {
	for i := range known {
		if known[i].letter == letter {
			return &known[i]
		}
	}
	return nil
}

// parse is parseArguments for a command ("" for the daemon) that ends with the help or a message if it cannot go on:
// unless ok, status is the exit status.
func parse(command string, known []argument, args []string, help string, stdout, stderr io.Writer) (status int, ok bool) {
	switch err := parseArguments(known, args); {
	case err == errHelp:
		io.WriteString(stdout, help)
		return 0, false
	case err != nil:
		if command != "" {
			command += " "
		}
		io.WriteString(stderr, tinyfmt.Sprintf("lan6d: %v (lan6d %s-h tells what is allowed)\n", err, command))
		return 2, false
	}
	return 0, true
}
