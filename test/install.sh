#!/bin/sh
# Installs the Debian packages that `make demo` and `make test` run against: real DHCPv6 clients and relays, tshark,
# qemu. Usage: test/install.sh demo|test. Says what it installs and why, does nothing when all is there, starts no
# service and leaves none enabled. On a system without apt-get it names the packages and stops.
set -eu

# package | a file that proves it is there | what for
demo='
iproute2         | ip                                  | network namespaces and veth links
isc-dhcp-client  | dhclient                            | a real DHCPv6 client (ISC)
tshark           | tshark                              | dissects every packet that lan6d sends'
test="$demo"'
dhcpcd-base      | dhcpcd                              | a real DHCPv6 client (dhcpcd)
wide-dhcpv6-client | dhcp6c                            | a real DHCPv6 client (WIDE)
dibbler-client   | dibbler-client                      | a real DHCPv6 client (dibbler)
systemd          | /lib/systemd/systemd-networkd       | a real DHCPv6 client (systemd-networkd)
isc-dhcp-relay   | dhcrelay                            | a real relay (ISC)
dibbler-relay    | dibbler-relay                       | a real relay (dibbler)
wide-dhcpv6-relay | dhcp6relay                         | a real relay (WIDE)
qemu-user        | qemu-mips                           | runs the tests as on MIPS and ARM
kea-dhcp6-server | kea-dhcp6                           | a real DHCPv6 server (Kea)
isc-dhcp-server  | dhcpd                               | a real DHCPv6 server (ISC)
dibbler-server   | dibbler-server                      | a real DHCPv6 server (dibbler)
dnsmasq-base     | dnsmasq                             | a real DHCPv6 server (dnsmasq)
wide-dhcpv6-server | dhcp6s                            | a real DHCPv6 server (WIDE)
iputils-ping     | ping                                | pings through delegated prefixes
busybox          | busybox                             | the shell of OpenWrt, for the scripts of the package
shellcheck       | shellcheck                          | checks these scripts
uidmap           | newuidmap                           | their tests need several users, also where nobody is root
man-db           | man                                 | renders the man page
mandoc           | mandoc                              | looks for mistakes in the man page
xz-utils         | xz                                  | measures the compressed size'

again="$(realpath "$0") ${1-}"
case "${1-}" in
demo) wanted=$demo ;;
test) wanted=$test ;;
*) echo "usage: $0 demo|test" >&2; exit 2 ;;
esac

PATH=$PATH:/usr/sbin:/sbin
present() {
	case $1 in
	/*) [ -e "$1" ] || [ -e "/usr$1" ] ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

missing=
why=
while IFS='|' read -r package proof reason; do
	[ -n "${package# }" ] || continue
	# shellcheck disable=SC2086 # the words are split to strip the blanks around them
	set -- $package $proof
	present "$2" && continue
	missing="$missing $1"
	why="$why$(printf '\n  %-20s%s' "$1" "${reason# }")"
done <<LIST
$wanted
LIST
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	printf 'Please install what these Debian packages hold, then run make again:%s\n' "$why" >&2
	exit 1
fi
sudo=
if [ "$(id -u)" != 0 ]; then
	sudo=sudo
	{ command -v sudo && sudo true; } >/dev/null || {
		printf 'These Debian packages are missing:%s\n' "$why" >&2
		printf 'Please run as root, then run make again: %s\n' "$again" >&2
		exit 1
	}
fi
printf 'Installing Debian packages (no service of theirs is started):%s\n' "$why"

log=$(mktemp)
policy=
trap '$sudo rm -f "$log" $policy' EXIT
trap 'exit 1' HUP INT TERM

# A package's maintainer scripts ask policy-rc.d whether they may start a service: for this one installation, no.
if [ ! -e /usr/sbin/policy-rc.d ]; then
	policy=/usr/sbin/policy-rc.d
	printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
	$sudo chmod 755 $policy
fi
install() {
	# shellcheck disable=SC2086 # one word a package
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -qq \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 $missing >"$log" 2>&1
}
install || { $sudo apt-get update -qq && install; } || {
	cat "$log" >&2
	echo "apt-get could not install:$missing" >&2
	exit 1
}

# Nor shall they start at the next boot of this machine.
for unit in wide-dhcpv6-client wide-dhcpv6-relay wide-dhcpv6-server isc-dhcp-relay isc-dhcp-server \
	dibbler-client dibbler-relay dibbler-server kea-dhcp6-server; do
	case $missing in
	*"$unit"*)
		$sudo update-rc.d "$unit" disable >/dev/null 2>&1 || true
		$sudo systemctl disable "$unit" >/dev/null 2>&1 || true
		;;
	esac
done
