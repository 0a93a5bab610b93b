#!/bin/sh
# Shows lan6d at work on this machine, in network namespaces of its own: a router with lan6d, and a host with a real
# DHCPv6 client. Usage: test/demo.sh PROGRAM. With KEEP=1 it ends in a shell on the router.
set -eu
PATH=$PATH:/usr/sbin:/sbin

if [ "$1" != --inside ]; then
	program=$(realpath "$1")
	# Root is not needed where users may make namespaces.
	if unshare --net --mount true 2>/dev/null; then
		set -- unshare --net --mount
	elif unshare --user --map-root-user --net --mount true 2>/dev/null; then
		set -- unshare --user --map-root-user --net --mount
	elif [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
		echo "This machine lets only root make network namespaces: using sudo."
		set -- sudo --preserve-env=KEEP unshare --net --mount
	else
		echo "The demo needs network namespaces, and this machine refuses them:" >&2
		echo "please run make as root; in a container, give that more privileges (docker run --privileged)." >&2
		exit 1
	fi
	exec "$@" "$0" --inside "$program"
fi

# From here on, inside the namespaces: nothing can reach the machine's own network or files. What is written lies in a
# file system in memory that goes when the demo ends.
program=$2
mount -t tmpfs tmpfs /run
cd /run

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }
stop() {
	for pid in ${capture-} ${client-} ${server-} ${holder-}; do kill "$pid" 2>/dev/null || true; done
	wait 2>/dev/null || true
}
trap stop EXIT
trap 'exit 1' HUP INT TERM
fail() {
	echo "The demo failed: $*" >&2
	sed 's/^/  lan6d:    /' server.log >&2
	sed 's/^/  dhclient: /' client.log >&2 2>/dev/null || true
	exit 1
}
# until COMMAND...: waits up to 15 seconds for it to succeed.
until_true() {
	for _ in $(seq 150); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}
on_host() { nsenter --net="/proc/$holder/ns/net" "$@"; }
link_local() { "$@" ip -6 -o address show scope link -tentative | grep -q fe80; }
has_namespace() { [ "$(readlink "/proc/$holder/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

say "1. A router and a host, joined by one cable"
unshare --net sleep 3600 &
holder=$!
until_true has_namespace || fail "no second network namespace"
ip link set lo up
ip link add lan0 type veth peer name eth0
ip link set eth0 netns "$holder"
ip address add 2001:db8:1::1/48 dev lan0 nodad
ip address add fd00:1::1/48 dev lan0 nodad
ip link set lan0 up
on_host ip link set lo up
on_host ip link set eth0 up
until_true link_local env || fail "no link-local address on the router"
until_true link_local on_host || fail "no link-local address on the host"
cat <<TEXT
   router  lan0  2001:db8:1::1/48  as a provider would delegate it (a documentation prefix, RFC 3849)
                 fd00:1::1/48      the home's own unique local addresses (RFC 4193)
   host    eth0  no address but its link-local one
TEXT

say "2. lan6d starts on the router, with the built-in configuration"
echo "   \$ lan6d -i lan0"
mkdir config
"$program" -c config -i lan0 -d state >server.log 2>&1 &
server=$!
until_true grep -q started server.log || fail "lan6d did not start"
tshark -Q -i lan0 -f 'udp port 546 or udp port 547' -w capture.pcap 2>tshark.log &
capture=$!
until_true test -s capture.pcap || fail "tshark does not capture: $(cat tshark.log)"
sed 's/^/   /' server.log

say "3. The host's DHCPv6 client (ISC dhclient) asks for an address and for a prefix of its own"
cat >script <<'SCRIPT'
#!/bin/sh
case $reason in BOUND6)
	[ -z "$new_ip6_address" ] || ip -6 address replace "$new_ip6_address/128" dev "$interface" nodad
	[ -z "$new_ip6_prefix" ] || echo "$new_ip6_prefix" >>prefixes ;;
esac
SCRIPT
chmod +x script
touch leases
# A copy, because some systems confine the installed one to its usual files.
cp "$(command -v dhclient)" client
echo "   \$ dhclient -6 -N -P eth0"
nsenter --net="/proc/$holder/ns/net" ./client -6 -1 -d -N -P -lf leases -pf client.pid -sf "$PWD/script" -cf /dev/null eth0 >client.log 2>&1 &
client=$!
bound() { [ "$(grep -c 'bound' server.log)" -ge 2 ] && test -s prefixes && on_host ip -6 address show dev eth0 | grep -q 2001:db8; }
until_true bound || fail "the client got no lease"
captured() { tshark -r capture.pcap -Y 'dhcpv6.msgtype == 7' 2>/dev/null | grep -q Reply; }
until_true captured || fail "tshark saw no Reply"
kill "$capture"
wait "$capture" 2>/dev/null || true
capture=
tshark -r capture.pcap -T fields -e frame.time_relative -e ipv6.src -e ipv6.dst -e _ws.col.Info 2>/dev/null |
	awk -F '\t' '{ split($4, w, " "); printf "   %6.3f s  %-28s -> %-28s %s\n", $1, $2, $3, w[1] }'
echo
echo "   The last answer, as tshark reads it:"
tshark -r capture.pcap -Y 'dhcpv6.msgtype == 7' -O dhcpv6 2>/dev/null | sed -n '/^DHCPv6/,$p' | grep -Ev '^$|Length:|Value:|Option:' | sed 's/^/   /'
malformed=$(tshark -r capture.pcap -Y '_ws.malformed' 2>/dev/null | wc -l)
[ "$malformed" = 0 ] || fail "tshark found $malformed malformed packets"

say "4. What happened"
awk '/bound/' server.log | sed 's/^/   /'
echo
echo "   The host now has:"
on_host ip -6 -brief address show dev eth0 scope global | sed 's/^/   /'
sort -u prefixes | sed 's/^/   and may give to its own network:  /'
cat <<TEXT

   The two addresses end alike and the two prefixes have the same subnet number, under the provider's prefix and under
   the home's own: if the provider's prefix changes, the rest stays.

What to read next: README.md (options), docs/DESIGN.md (how it works), dhcpv6/server/exchange.go (the protocol).
TEXT
if [ -n "${KEEP-}" ]; then
	say "A shell on the router. The host: nsenter --net=/proc/$holder/ns/net. lan6d's log: $PWD/server.log. exit ends it."
	"${SHELL:-/bin/sh}" -i || true
fi
