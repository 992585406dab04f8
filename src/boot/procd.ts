/**
 * The script for OpenWrt's procd, and what belongs to it there. It is for BusyBox' ash. Pure.
 *
 * procd knows one command: the proxy, which makes the rules itself as soon as the network allows it. So
 * neither the boot nor the script waits for anything, and each respawn finds its rules. When the proxy ends
 * they stay, and `intercept.on-failure` holds; a service that is disabled leaves nothing when it is stopped.
 * @module
 */
import { DEFAULT_CONFIG_PATH } from "../constants.ts";
import { fw4Files } from "./fw4.ts";
import { keepFile } from "./keep.ts";
import type { BootFile, BootSettings, ServiceManager } from "./model.ts";
import { configWords, DESCRIPTORS, shellWord } from "./words.ts";

const SCRIPT = "/etc/init.d/tproxy";

/**
 * Seconds that the proxy has beyond `timeouts.drain` before procd kills it; procd's own default is 5 s in
 * all.
 */
const SPARE_SECONDS = 5;
/**
 * Seconds between the end of the proxy and its next start, which procd does for ever with a last word of 0.
 */
const RESPAWN = "3600 5 0";

function renderScript(settings: BootSettings): string {
  const { binary, config, cache, drainSeconds } = settings;
  const options = configWords(config).map(shellWord).join(" ");
  const environment = cache === undefined ? "" : `\n\tprocd_set_param env TPROXY_CACHE_DIR=${cache}`;
  return `#!/bin/sh /etc/rc.common
# shellcheck disable=SC2034,SC2154,SC3043

START=95
STOP=10
USE_PROCD=1

PROG=${binary}
EXTRA_COMMANDS="check status doctor"
EXTRA_HELP="	check	Validate the config
	status	Show what is in the kernel, and whether the proxy runs
	doctor	Show what on this router would stop it from working"

check() {
	"$PROG" check${config === undefined ? "" : ` ${shellWord(config)}`}
}

status() {
	"$PROG" status${options === "" ? "" : ` ${options}`}
}

# Newer versions of rc.common have a status of their own, which calls this.
status_service() {
	"$PROG" status${options === "" ? "" : ` ${options}`}
}

doctor() {
	"$PROG" doctor${options === "" ? "" : ` ${options}`}
}

start_service() {
	[ -x "$PROG" ] || {
		logger -s -t tproxy -p daemon.err "$PROG is not there: the proxy is not started"
		return 1
	}
	procd_open_instance
	# It makes the rules too, and keeps them right when interfaces and default routes come later.
	procd_set_param command "$PROG" run --install${options === "" ? "" : ` ${options}`}${environment}
	procd_set_param respawn ${RESPAWN}
	# timeouts.drain (${drainSeconds} s) and ${SPARE_SECONDS} s more
	procd_set_param term_timeout ${drainSeconds + SPARE_SECONDS}
	procd_set_param reload_signal HUP
	procd_set_param file ${shellWord(config ?? DEFAULT_CONFIG_PATH)}
	procd_set_param limits nofile="${DESCRIPTORS} ${DESCRIPTORS}"
	procd_set_param stdout 1
	procd_set_param stderr 1
	procd_close_instance
}

# The proxy takes the config over without a restart, and says what of it only a restart takes over. Without a
# name of the signal it is SIGHUP.
reload_service() {
	check >/dev/null && procd_send_signal tproxy
}

service_stopped() {
	[ "$action" = stop ] || return 0
	enabled || "$PROG" uninstall --boot none
}
`;
}

/** OpenWrt with procd. */
export const OPENWRT: ServiceManager = {
  name: "openwrt",
  running: ["/etc/openwrt_release", "/sbin/procd"],
  installed: ["/etc/rc.common"],
  service: SCRIPT,
  packaged: SCRIPT,
  ownUser: false,
  files(settings, has): BootFile[] {
    const files = [
      { path: SCRIPT, mode: 0o755, text: renderScript(settings) },
      ...fw4Files(settings, has),
    ];
    return [...files, keepFile(settings, [...files.map(({ path }) => path), ...OPENWRT.links])];
  },
  reload: [],
  enable: [SCRIPT, "enable"],
  disable: [SCRIPT, "disable"],
  stop: [SCRIPT, "stop"],
  startWith: `${SCRIPT} start`,
  links: ["/etc/rc.d/S95tproxy", "/etc/rc.d/K10tproxy"],
};
