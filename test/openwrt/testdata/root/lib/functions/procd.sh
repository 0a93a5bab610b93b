# Stands in for OpenWrt's /lib/functions/procd.sh: what is asked of procd is written down.

record() {
	echo "$*" >>/var/log/procd
}

procd_open_instance() { record procd_open_instance "$@"; }
procd_set_param() { record procd_set_param "$@"; }
procd_add_jail() { record procd_add_jail "$@"; }
procd_close_instance() { record procd_close_instance "$@"; }
procd_add_reload_trigger() { record procd_add_reload_trigger "$@"; }
procd_add_reload_interface_trigger() { record procd_add_reload_interface_trigger "$@"; }

# procd does not wait until the process has ended. (The init script itself has the daemon's name.)
procd_kill() {
	local pid
	for pid in $(pidof "$1"); do
		[ "$pid" = $$ ] || kill "$pid"
	done
}
