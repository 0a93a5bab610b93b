package openwrt

// suggest returns `, did you mean "name"?` for the option of the table whose name is closest to a misspelt one, or
// nothing if none is close.
func suggest[T any](table []option[T], name string) string {
	const far = 3
	best, closest := "", far
	if len(name) > 64 {
		return ""
	}
	for _, o := range table {
		if d := distance(o.name, name); d < closest && d < len(name)/2+1 {
			best, closest = o.name, d
		}
	}
	if best == "" {
		return ""
	}
	return `, did you mean "` + best + `"?`
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
