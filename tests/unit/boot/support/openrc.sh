# A recording stand-in for OpenRC's openrc-run with supervise-daemon: SCRIPT ACTION. It evaluates command_args
# once more, as OpenRC does, and prints the words of the call with a tab between them.
script=$1
RC_CMD=${2}
RC_SVCNAME=tproxy

ebegin() { printf 'begin\t%s\n' "$*"; }
eend() {
	printf 'end\t%s\n' "$1"
	return "$1"
}
use() { printf 'use\t%s\n' "$*"; }
after() { printf 'after\t%s\n' "$*"; }
need() { printf 'need\t%s\n' "$*"; }
. "${0%/*}/record.sh"

. "$script"

[ "$supervisor" = supervise-daemon ] || exit 3
case "$RC_CMD" in
start)
	start_pre || exit 1
	eval record supervise \
		${retry:+--retry} $retry \
		${output_logger:+--stdout-logger \"$output_logger\"} \
		${error_logger:+--stderr-logger \"$error_logger\"} \
		${respawn_delay:+--respawn-delay} $respawn_delay \
		${respawn_max:+--respawn-max} $respawn_max \
		$command -- $command_args
	record ulimit "$rc_ulimit"
	record env "${TPROXY_CACHE_DIR-none}"
	;;
stop) stop_post ;;
restart)
	stop_post
	start_pre
	;;
depend | checkconfig) "$RC_CMD" ;;
*)
	# Of a service that runs.
	case " $extra_started_commands " in
	*" $RC_CMD "*) "$RC_CMD" ;;
	*) exit 4 ;;
	esac
	;;
esac
