/**
 * The unit for systemd. Pure.
 *
 * The rules are made by root (`+`), or later by the proxy where the network does not allow it yet; the proxy
 * runs as a user of its own with three capabilities. When it ends the rules stay: `intercept.on-failure` says
 * what happens without a proxy, so that a crash, a restart and a stop are alike, and a network that must not
 * go past the proxy does not. A service that is disabled and then stopped (`systemctl disable --now`) leaves
 * nothing.
 * @module
 */
import { DEFAULT_CACHE_PATH } from "../constants.ts";
import type { BootFile, BootSettings, ServiceManager } from "./model.ts";
import { DESCRIPTORS, programLine, RESTART_SECONDS } from "./words.ts";

/** The exit code of `tproxy reload` where no proxy answers. */
const NOBODY = 3;

const UNIT = "tproxy.service";

/** Units that may take rules away at their start or configure interfaces. None of them need be there. */
const BEFORE_US = [
  "network-pre.target",
  "network.target",
  "nftables.service",
  "iptables.service",
  "ip6tables.service",
  "netfilter-persistent.service",
  "firewalld.service",
  "ufw.service",
  "shorewall.service",
  "systemd-networkd.service",
  "NetworkManager.service",
  "networking.service",
];

/** Only these, for a user without any other privilege. */
const CAPABILITIES = [
  "CAP_NET_RAW", // foreign addresses, marks, replies from them
  "CAP_NET_ADMIN", // rules, receive buffers: of a process beside the proxy, which gives it up itself
  "CAP_NET_BIND_SERVICE", // clients' ports below 1024
];

/** The time that a first start may take: unpacking onto slow flash, and twice the start of the runtime. */
const START_SECONDS = 180;
/** Seconds that the proxy has beyond `timeouts.drain` to end. */
const SPARE_SECONDS = 10;
/** A worker that has not turned for so long is hung. */
const WATCHDOG_SECONDS = 30;

function renderUnit(settings: BootSettings): string {
  const { binary, backend, drainSeconds, cache = DEFAULT_CACHE_PATH } = settings;
  const asRoot = backend === "iptables";
  const capabilities = CAPABILITIES.join(" ");
  return `[Unit]
Description=tproxy, transparent proxy
# After the firewalls: one that starts later would throw the rules away. Interfaces are not waited for.
After=${BEFORE_US.join(" ")}
# It is started again for ever.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
# The kernel forgets the rules at each boot. "+": as root and outside the sandbox; the proxy itself is neither. "-": where
# the network is not complete yet, run makes them as soon as it is.
ExecStartPre=+-${programLine(settings, "install", "--boot", "none")}
ExecStart=${programLine(settings, "run", "--install")}
# It says RELOADING=1 by itself; Type=notify-reload needs systemd 253. A config that is refused fails the reload, with its
# reasons; where nobody answers (control: off) a signal must do.
ExecReload=+/bin/sh -c '${programLine(settings, "reload")}; code=$$?; \
if [ $$code = ${NOBODY} ]; then kill -HUP \${MAINPID}; else exit $$code; fi'
# The rules stay when the proxy ends: intercept.on-failure holds. A service that is disabled leaves nothing.
ExecStopPost=+-/bin/sh -c '[ "$$SERVICE_RESULT" != success ] || systemctl -q is-enabled ${UNIT} || \
exec ${binary} uninstall --boot none'
Restart=always
RestartSec=${RESTART_SECONDS}
TimeoutStartSec=${START_SECONDS}
# timeouts.drain (${drainSeconds} s) and ${SPARE_SECONDS} s more.
TimeoutStopSec=${drainSeconds + SPARE_SECONDS}
# A hung worker is not asked to end.
WatchdogSec=${WATCHDOG_SECONDS}
WatchdogSignal=SIGKILL

# ExecStartPre has unpacked the program there, as root, so that the proxy cannot change what root executes.
Environment=TPROXY_CACHE_DIR=${cache}
RuntimeDirectory=tproxy
RuntimeDirectoryMode=0750
# One that is killed leaves there what it has to put back.
RuntimeDirectoryPreserve=yes
LimitNOFILE=${DESCRIPTORS}
LimitCORE=0
OOMScoreAdjust=-500

${
    asRoot
      ? `# kernel.backend: iptables. The sign that a proxy runs is a file in /proc that root alone may write.
ReadWritePaths=-/run/xtables.lock`
      : `# A user tproxy if there is one, else one that exists while the service runs.
DynamicUser=yes
User=tproxy
AmbientCapabilities=${capabilities}`
  }
CapabilityBoundingSet=${capabilities}
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
# The one sysctl that it sets, and puts back at its end; CAP_NET_ADMIN may.
ReadWritePaths=-/proc/sys/net/ipv4/tcp_early_demux
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
UMask=0077
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
# Not MemoryDenyWriteExecute: the runtime compiles at run time.
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# What it takes from itself besides${
    asRoot ? "" : "; capset: CAP_NET_ADMIN, once a process beside it has that"
  }.
SystemCallFilter=${
    asRoot ? "" : "capset "
  }seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** systemd 240 and later. */
export const SYSTEMD: ServiceManager = {
  name: "systemd",
  running: ["/run/systemd/system"],
  installed: ["/lib/systemd/systemd", "/usr/lib/systemd/systemd"],
  service: `/etc/systemd/system/${UNIT}`,
  packaged: `/lib/systemd/system/${UNIT}`,
  ownUser: true,
  files: (settings): BootFile[] => [
    { path: SYSTEMD.service, mode: 0o644, text: renderUnit(settings) },
  ],
  reload: [["systemctl", "daemon-reload"]],
  enable: ["systemctl", "enable", UNIT],
  disable: ["systemctl", "disable", UNIT],
  stop: ["systemctl", "--no-ask-password", "stop", UNIT],
  startWith: "systemctl start tproxy",
  links: [`/etc/systemd/system/multi-user.target.wants/${UNIT}`],
};
