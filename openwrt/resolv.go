package openwrt

import (
	"slices"
	"strings"

	"lan6d/openwrt/uci"
)

// maxResolv is the most that is read of the resolver's configuration, in octets.
const maxResolv = 64 << 10

// readSearch reads the search list of the system's resolver. A file that is missing or no plain file has none.
func readSearch(file string) []string {
	text, err := uci.ReadFile(file)
	if err != nil {
		return nil
	}
	return parseSearch(string(text[:min(len(text), maxResolv)]))
}

// parseSearch reads the search list in a resolv.conf: the last line "search" or "domain" counts, as in resolv.conf(5).
// Names that are none are left out, and so are names that the list has no room for.
func parseSearch(text string) (names []string) {
	for _, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "search" && words[0] != "domain" {
			continue
		}
		if words[0] == "domain" {
			words = words[:2]
		}
		names = nil
		room := maxOption
		for _, word := range words[1:] {
			name, err := parseDomain(word)
			if err != nil || slices.Contains(names, name) {
				continue
			}
			if room -= nameLength(name); room < 0 {
				break
			}
			names = append(names, name)
		}
	}
	return names
}
