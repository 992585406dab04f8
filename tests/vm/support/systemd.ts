/**
 * A root with this machine's systemd as process 1 and a network that is there from the start:
 *
 * ```
 *   client                 router (the machine)                 server
 *  10.0.1.2  c0 ───── r0  10.0.1.1   10.0.2.1  r1 ───── s0  10.0.2.2, a web server on port 8080
 *                        forwards nothing new: what arrives has gone through the proxy
 * ```
 * @module
 */
import { runProgram } from "../../laboratory/program.ts";
import type { Tree } from "./tree.ts";

const SYSTEMD = "/lib/systemd/systemd";
/** With what it finds out about the kernel's modules, users and so on left away: those need more programs. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "lib/systemd/systemd": SYSTEMD,
  "lib/systemd/systemd-shutdown": "/lib/systemd/systemd-shutdown",
  "usr/bin/systemctl": "/bin/systemctl",
  "usr/bin/bash": "/bin/bash",
  "usr/sbin/ip": "/sbin/ip",
  "usr/sbin/nft": "/usr/sbin/nft",
};
const UNITS = [
  "basic.target",
  "final.target",
  "local-fs.target",
  "local-fs-pre.target",
  "multi-user.target",
  "network.target",
  "network-pre.target",
  "paths.target",
  "shutdown.target",
  "slices.target",
  "sockets.target",
  "swap.target",
  "sysinit.target",
  "timers.target",
  "umount.target",
];
const WORD = "through the proxy";

/** Returns the reason why no systemd can be had here, if any. */
export function missingSystemd(): string | undefined {
  try {
    Deno.statSync(SYSTEMD);
    return undefined;
  } catch {
    return "systemd is not installed here (it need not run)";
  }
}

/** Puts systemd, the network and what they need into a root. */
export async function fillSystemd(): Promise<(root: Tree) => void> {
  const libraries = await findLibraries(Object.values(PROGRAMS));
  return (root) => {
    for (const [path, source] of Object.entries(PROGRAMS)) root.file(path, source);
    for (const path of libraries) root.file(path, path);
    for (const unit of UNITS) root.file(`lib/systemd/system/${unit}`, `/lib/systemd/system/${unit}`);
    root.link("etc/systemd/system/default.target", "/lib/systemd/system/multi-user.target");
    root.link("etc/systemd/system/multi-user.target.wants/network-up.service", "../network-up.service");
    root.directory("var/cache").directory("var/tmp");
    for (const [path, text] of Object.entries(TEXTS)) root.file(path, { text });
  };
}

/**
 * Fetches from the web server as the client; anything but its word is an error. With bash: BusyBox' own
 * clients are static and do not get on with a C library beside them.
 */
export const FETCH = `[ "$(/usr/sbin/ip netns exec client timeout 10 bash /etc/fetch.sh)" = "${WORD}" ]`;

const TEXTS: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/group": "root:x:0:\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nservices: files\nhosts: files\n",
  "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
  "etc/os-release": "ID=test\n",
  // Services write to the kernel's log, which dmesg shows.
  "etc/systemd/system.conf":
    "[Manager]\nLogTarget=kmsg\nDefaultStandardOutput=kmsg\nDefaultStandardError=kmsg\n",
  "srv/index.html": `${WORD}\n`,
  "etc/fetch.sh":
    `exec 3<>/dev/tcp/10.0.2.2/8080 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && tail -n 1 <&3\n`,
  "etc/network-up.sh": `
# With paths: BusyBox' shell takes its own applets first.
set -e
/usr/sbin/ip link set lo up
for side in client server; do /usr/sbin/ip netns add $side; /usr/sbin/ip -n $side link set lo up; done
/usr/sbin/ip link add r0 type veth peer name c0 netns client
/usr/sbin/ip link add r1 type veth peer name s0 netns server
/usr/sbin/ip addr add 10.0.1.1/24 dev r0
/usr/sbin/ip addr add 10.0.2.1/24 dev r1
/usr/sbin/ip link set r0 up
/usr/sbin/ip link set r1 up
/usr/sbin/ip -n client addr add 10.0.1.2/24 dev c0
/usr/sbin/ip -n client link set c0 up
/usr/sbin/ip -n client route add default via 10.0.1.1
/usr/sbin/ip -n server addr add 10.0.2.2/24 dev s0
/usr/sbin/ip -n server link set s0 up
/usr/sbin/ip -n server route add default via 10.0.2.1
echo 1 >/proc/sys/net/ipv4/ip_forward
nft 'table inet guard { chain leaving { type filter hook postrouting priority 350; ct state established,related accept; iif != 0 meta l4proto { tcp, udp } drop; }; }'
/usr/sbin/ip netns exec server httpd -p 10.0.2.2:8080 -h /srv
`,
  "etc/systemd/system/network-up.service": `[Unit]
Before=network.target
Wants=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/bin/sh /etc/network-up.sh
[Install]
WantedBy=multi-user.target
`,
};

/** The shared libraries of programs, the dynamic loader among them, by their paths on this machine. */
async function findLibraries(programs: readonly string[]): Promise<string[]> {
  const { stdout } = await runProgram(["ldd", ...programs]);
  return [...new Set([...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path))];
}
