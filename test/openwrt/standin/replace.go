package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"lan6d/openwrt"
)

// replaceCommand puts a file in place of another, as lan6d or odhcpd do it: replace lan6d|odhcpd PATH TEXT.
func replaceCommand(args []string, errout io.Writer) int {
	replace := openwrt.ReplaceFile
	if args[0] == "odhcpd" {
		replace = replaceAsOdhcpd
	}
	if err := replace(args[1], []byte(args[2])); err != nil {
		fmt.Fprintln(errout, "replace:", err)
		return 1
	}
	return 0
}

// replaceAsOdhcpd writes a temporary file in the same directory and renames it.
func replaceAsOdhcpd(path string, text []byte) error {
	temporary := filepath.Join(filepath.Dir(path), ".odhcpd.tmp")
	if err := os.WriteFile(temporary, text, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
