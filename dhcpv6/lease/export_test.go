package lease

// AppendRecord appends a record with that body, its frame in order.
func AppendRecord(b, body []byte) []byte {
	b, start := beginRecord(b)
	return endRecord(append(b, body...), start)
}
