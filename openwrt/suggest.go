package openwrt

import "strings"

// suggest returns `, did you mean "name"?` for the name in the table that is closest to a misspelt one, or nothing if
// none is close.
func (t table) suggest(name string) string {
	if len(name) > 64 {
		return ""
	}
	n := nearest{to: name, distance: min(3, len(name)/2+1)}
	for i := range t.options {
		n.consider(t.options[i].name)
	}
	for _, foreign := range strings.Fields(t.foreign) {
		n.consider(foreign)
	}
	if n.name == "" {
		return ""
	}
	return `, did you mean "` + n.name + `"?`
}

// nearest is the best of the names considered, with its distance, which is below the one to begin with.
type nearest struct {
	to, name string
	distance int
}

func (n *nearest) consider(name string) {
	if d := distance(name, n.to); d < n.distance {
		n.name, n.distance = name, d
	}
}

// distance is the Levenshtein distance of two strings, in octets.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
