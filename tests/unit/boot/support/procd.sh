# A recording stand-in for OpenWrt's /etc/rc.common with procd: SCRIPT ACTION. Of the contract it keeps what
# the script relies on: defaults before the script, procd's verbs after it, calls with a tab between the
# words.
initscript=$1
action=$2

start() { :; }
stop() { :; }
restart() { stop && start; }
boot() { start; }
start_service() { :; }
stop_service() { :; }
enabled() { [ "$ENABLED" = yes ]; }
. "${0%/*}/record.sh"
logger() { record logger "$@"; }

. "$initscript"

[ "$USE_PROCD" = 1 ] || exit 3
procd_open_instance() { record open_instance "$@"; }
procd_set_param() { record "$@"; }
procd_append_param() { record append "$@"; }
procd_close_instance() { record close_instance; }
procd_kill() { record kill "$@"; }
procd_send_signal() { record signal "$@"; }
start() { start_service && record set; }
stop() {
	stop_service
	procd_kill "${initscript##*/}"
	! type service_stopped >/dev/null 2>&1 || service_stopped
}
restart() { stop && start; }
reload() { reload_service; }
status() { status_service; }

case " start stop restart reload boot enabled $EXTRA_COMMANDS " in
*" $action "*) $action ;;
*) exit 4 ;;
esac
