/**
 * The script for OpenRC, with its supervise-daemon. Pure.
 *
 * As with procd the proxy makes the rules itself. When it ends they stay, and `intercept.on-failure` holds; a
 * service of no runlevel leaves nothing when it is stopped.
 * @module
 */
import type { BootFile, BootSettings, ServiceManager } from "./model.ts";
import { configWords, DESCRIPTORS, RESTART_SECONDS, shellWord } from "./words.ts";

const SCRIPT = "/etc/init.d/tproxy";

/** Seconds that the proxy has beyond `timeouts.drain` to end. */
const SPARE_SECONDS = 10;

function renderScript({ binary, config, cache, drainSeconds }: BootSettings): string {
  const args = ["run", "--install", ...configWords(config)].map(shellWord).join(" ");
  return `#!/sbin/openrc-run

name="tproxy"
description="Transparent proxy"
supervisor="supervise-daemon"
command="${binary}"
# It makes the rules too. OpenRC evaluates this once more.
command_args=${shellWord(args)}
${cache === undefined ? "" : `export TPROXY_CACHE_DIR=${cache}\n`}respawn_delay=${RESTART_SECONDS}
respawn_max=0
# timeouts.drain (${drainSeconds} s) and ${SPARE_SECONDS} s more
retry="TERM/${drainSeconds + SPARE_SECONDS}/KILL/5"
rc_ulimit="-n ${DESCRIPTORS}"
output_logger="logger -t tproxy -p daemon.info"
error_logger="logger -t tproxy -p daemon.info"
extra_commands="checkconfig"
description_checkconfig="Validate the config"
extra_started_commands="reload"
description_reload="Take the config over without a restart"

depend() {
	use net
	# One that starts later would throw the rules away.
	after firewall iptables ip6tables nftables awall firewalld ufw shorewall
}

checkconfig() {
	ebegin "Checking the config of $name"
	${binary} check${config === undefined ? "" : ` ${config}`} >/dev/null
	eend $?
}

start_pre() {
	checkconfig
}

reload() {
	checkconfig || return 1
	ebegin "Reloading the config of $name"
	$supervisor "$RC_SVCNAME" --signal HUP
	eend $?
}

stop_post() {
	# A service of no runlevel leaves nothing; restart is no stop.
	[ "$RC_CMD" != restart ] || return 0
	set -- /etc/runlevels/*/"$RC_SVCNAME"
	[ -e "$1" ] || ${binary} uninstall --boot none
}
`;
}

/** OpenRC 0.21 and later. */
export const OPENRC: ServiceManager = {
  name: "openrc",
  running: ["/sbin/openrc-run", "/run/openrc"],
  installed: ["/sbin/openrc-run"],
  service: SCRIPT,
  packaged: SCRIPT,
  ownUser: false,
  files: (settings): BootFile[] => [{ path: SCRIPT, mode: 0o755, text: renderScript(settings) }],
  reload: [],
  enable: ["rc-update", "add", "tproxy", "default"],
  disable: ["rc-update", "del", "tproxy"],
  stop: ["rc-service", "tproxy", "stop"],
  startWith: "rc-service tproxy start",
  links: ["/etc/runlevels/*/tproxy"],
};
