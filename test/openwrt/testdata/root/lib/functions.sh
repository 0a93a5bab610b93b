# Stands in for OpenWrt's /lib/functions.sh: the few functions that lan6d's scripts and packages use. As there, what one
# config_load has set stays until another sets it.

config_load() {
	CONFIG_SECTIONS=
	eval "$(uci -S -n export "$1")"
}

package() { :; }

config() {
	CONFIG_SECTION=$2
	CONFIG_SECTIONS="$CONFIG_SECTIONS $2"
	eval "CONFIG_$2_TYPE=\$1"
}

option() {
	eval "CONFIG_${CONFIG_SECTION}_$1=\$2"
}

list() {
	eval "CONFIG_${CONFIG_SECTION}_$1=\"\${CONFIG_${CONFIG_SECTION}_$1:+\$CONFIG_${CONFIG_SECTION}_$1 }\$2\""
	eval "CONFIG_${CONFIG_SECTION}_$1_LENGTH=\$((CONFIG_${CONFIG_SECTION}_$1_LENGTH + 1))"
}

config_get() {
	eval "$1=\${CONFIG_$2_$3:-\$4}"
}

config_get_bool() {
	config_get "$@"
	eval "case \$$1 in 1 | on | true | yes | enabled) $1=1 ;; *) $1=0 ;; esac"
}

config_foreach() {
	local _function="$1" _type="$2" _section _is
	shift
	[ "$#" -eq 0 ] || shift
	for _section in $CONFIG_SECTIONS; do
		config_get _is "$_section" TYPE
		[ -n "$_type" ] && [ "$_type" != "$_is" ] && continue
		"$_function" "$_section" "$@"
	done
}

# The two below follow what packages rely on: users, uci-defaults, the package's own scripts, init scripts.

default_postinst() {
	local defaults=/etc/uci-defaults/60_lan6d
	[ -z "$IPKG_INSTROOT" ] || return 0
	(cd /etc/uci-defaults && [ -f "$defaults" ] && . "$defaults") && rm -f "$defaults"
	uci commit
	[ "$PKG_UPGRADE" = 1 ] || /etc/init.d/lan6d enable
	/etc/init.d/lan6d start
}

default_prerm() {
	[ ! -f /usr/lib/opkg/info/lan6d.prerm-pkg ] || (. /usr/lib/opkg/info/lan6d.prerm-pkg)
	[ -z "$IPKG_INSTROOT" ] || return 0
	[ "$PKG_UPGRADE" = 1 ] || /etc/init.d/lan6d disable
	/etc/init.d/lan6d stop
}

add_group_and_user() { :; }
