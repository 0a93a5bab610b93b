# Stands in for libubox's jshn.sh: an object of strings.

json_init() {
	_json=
}

json_add_string() {
	_json="$_json${_json:+, }\"$1\": \"$(echo "$2" | sed 's/\\/\\\\/g; s/"/\\"/g')\""
}

json_dump() {
	echo "{ $_json }"
}
