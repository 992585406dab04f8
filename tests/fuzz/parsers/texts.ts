/**
 * Files that the kernel or other programs have written: /proc, /etc, /lib/modules, and those in /run.
 * @module
 */
import assert from "node:assert/strict";
import { readSeal, sealFile } from "../../../src/boot/seal.ts";
import { describeHits } from "../../../src/cli/status/hits.ts";
import { describeProxy } from "../../../src/cli/status/proxy.ts";
import { parseState } from "../../../src/cli/status/state.ts";
import { findProgram } from "../../../src/daemon/after_start.ts";
import { readMemoryLimit } from "../../../src/dataplane/sizing/memory_limit.ts";
import { readAddressSpace } from "../../../src/doctor/checks/address_space.ts";
import { readDescriptors } from "../../../src/doctor/checks/descriptors.ts";
import { readNetworkd } from "../../../src/doctor/checks/networkd.ts";
import { judgePlatform, readPlatform } from "../../../src/doctor/checks/platform.ts";
import type { MachineFiles } from "../../../src/doctor/machine/files.ts";
import { isTproxy, listProcesses } from "../../../src/doctor/machine/processes.ts";
import { readSysctl } from "../../../src/doctor/machine/sysctl.ts";
import { readModuleFiles } from "../../../src/doctor/parts/module_files.ts";
import { readModuleLoading } from "../../../src/doctor/parts/module_loading.ts";
import { findSockets } from "../../../src/kernel/listeners/socket_table.ts";
import type { Parser } from "../parser.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A machine all of whose files have this content. */
function machineOf(bytes: Uint8Array): MachineFiles {
  const text = decode(bytes);
  return {
    readText: () => text,
    readBytes: () => new Uint8Array(bytes),
    list: () => ["1", ...text.split(/[\0\n]/).slice(0, 20)],
    readLink: () => text,
    fileSystem: () => undefined,
  };
}

const PROXY = [{ pid: 1, name: "tproxy", words: ["/usr/bin/tproxy", "run"] }];
const SOCKET = { protocol: "tcp", family: "ipv4", port: 50080, anyAddress: true } as const;

/** Files of the machine. */
export const machine: Parser = {
  name: "machine-files",
  samples: () =>
    [
      "MemTotal:  1000 kB\n",
      "1 2 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n0::/a/b\nmax\n123\n",
      "4 3 0:5 /x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n5:memory:/x/y\n",
      "  sl local\n   0: 0100007F:C3A0 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4711 1\n",
      "55d0-55d9 r-xp 00000000 08:01 123                        /usr/bin/deno\n",
      "kernel/a.ko: kernel/b.ko kernel/c.ko.xz\nkernel/b.ko:\n",
      "blacklist nft_tproxy\ninstall b /bin/true\n",
      "[Network]\nManageForeignRoutingPolicyRules=no\n",
      "net.ipv4.ip_forward = 1\n-net/ipv4/conf/eth0.1/rp_filter=2\n",
      "Max open files            1024                 524288               files\n",
      "\0depends=a,b-c\0",
    ].map(encode).concat(new Uint8Array(new BigUint64Array([6n, 4096n, 0n, 0n]).buffer)),
  words: ["\n", "\0", " kB", "cgroup2", "memory", "/..", "r-xp", "/", ": ", "0A", "FFFFFFFFFFFFFFFFF", "max"],
  read(input) {
    const files = machineOf(input);
    const text = decode(input);
    const limit = readMemoryLimit(() => text);
    assert.ok(limit === undefined || limit.bytes >= 0);
    const platform = readPlatform(files);
    const processes = listProcesses(files);
    for (const { name, words } of processes) assert.doesNotMatch(`${name}${words.join("")}`, /\p{Cc}/u);
    return [
      limit?.of,
      findProgram(text).length,
      findSockets(SOCKET, () => text).length,
      judgePlatform(platform, "x86_64").length,
      Object.keys(readNetworkd(files)).length,
      readSysctl(files, "net.ipv4.ip_forward").setBy.length,
      readModuleFiles(files, "/lib/modules/6.1").paths.size,
      readModuleLoading(files).forbidden.size,
      Object.values(readDescriptors(files, PROXY)).length,
      Object.values(readAddressSpace(files, PROXY)).length,
      processes.filter(isTproxy).length,
    ].join();
  },
};

const HITS = { flows: 1, live: 1, blocked: 1, bytesUp: 5, bytesDown: 6 };
const STATE = {
  version: 1,
  pid: 7,
  program: "0.1.0",
  phase: "running",
  started: 1000,
  config: "/etc/tproxy/tproxy.yaml",
  generation: 2,
  refused: "tproxy.yaml:3:1: no",
  rules: "rules for r0",
  workers: 2,
  hanging: [1],
  connections: 3,
  maxConnections: 10,
  udpSessions: 4,
  maxUdpSessions: 20,
  rates: { overMs: 10_000, accepted: 0.5, udpSessions: 0, bytesUp: 1.5, bytesDown: 1e9 },
  counters: { accepted: 5, "bytes-up": 6, "bytes-down": 7 },
  ruleHits: [{ name: "rules[1]", action: "block", ...HITS }],
  upstreamHits: [{ name: "a", ...HITS }],
  upstreams: [{
    name: "a",
    state: "down",
    since: 5,
    reason: "refused",
    connections: 0,
    addresses: ["192.0.2.1:1080"],
  }],
  groups: [{ name: "g", strategy: "failover", inUse: [], whenDown: "block" }],
};

const LISTENER = { protocol: "tcp", address: "127.0.0.1:50080", listening: true } as const;

/** The report of a running proxy, of this version or of another one. */
export const state: Parser = {
  name: "status-answer",
  samples: () => [encode(JSON.stringify(STATE))],
  words: ["null", "[]", "{}", "1e999", "-1", '"x"', '"upstreams":', ",", "}", '"counters":null', '"\\u001b"'],
  read(input) {
    const found = parseState(decode(input), 7);
    if (found === undefined) return "none";
    const holder = { pid: 7, name: "tproxy", command: "tproxy run", ours: true, state: found };
    const lines = describeProxy(holder, [LISTENER], { now: 5000, config: "x", control: "/x", verbose: true });
    const hits = describeHits(holder).split("\n");
    for (const line of [...lines, ...hits]) {
      assert.doesNotMatch(line, /\p{Cc}/u, "it would disturb a terminal");
    }
    return `${lines.length} ${hits.length} ${Object.keys(found).length}`;
  },
};

/** A file that an install has made for the service manager. */
export const seal: Parser = {
  name: "boot-file",
  samples: () => {
    const settings = { binary: "/usr/bin/tproxy", drainSeconds: 30, mark: 1, backend: "netlink" } as const;
    const file = { path: "/x", mode: 0o755, text: "#!/bin/sh\nexec x\n" };
    return [encode(sealFile(file, settings, { maker: "install", manager: "systemd" }).text)];
  },
  words: ["# Settings: ", "Checksum: ", "{}", "null", "\n"],
  read(input) {
    const found = readSeal(decode(input));
    return found === undefined ? "none" : `${found.maker} ${found.intact} ${typeof found.settings}`;
  },
};
