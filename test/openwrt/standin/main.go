// Command standin is what the tests put into the tree of a router in place of programs that Debian has not. Its name says
// which of them it is: uci, or replace, which replaces a file.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	switch name := filepath.Base(os.Args[0]); name {
	case "uci":
		os.Exit(uciCommand(os.Args[1:], os.Stdout, os.Stderr))
	case "replace":
		os.Exit(replaceCommand(os.Args[1:], os.Stderr))
	default:
		fmt.Fprintf(os.Stderr, "%s: the name uci or replace is allowed\n", name)
		os.Exit(2)
	}
}
