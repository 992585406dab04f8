import assert from "node:assert/strict";
import { judgePorts, type PortFacts, readPorts } from "../../../../src/doctor/checks/listener_port.ts";
import { isTproxy } from "../../../../src/doctor/machine/processes.ts";
import { findSockets } from "../../../../src/doctor/machine/socket_table.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";
import { configWith } from "../../kernel/support/view.ts";
import { memoryFiles, processOf, situationWith, troubles } from "../support/machine.ts";

const HEADER =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const row = (local: string, state: string, inode: number) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100\n`;
const ANY6 = "0".repeat(32);
const LOOPBACK6 = `${"0".repeat(24)}01000000`;

Deno.test("findSockets() finds who holds the port, also by all addresses", () => {
  const files = memoryFiles({
    "/proc/thread-self/net/tcp": HEADER + row("0100007F:C3A0", "0A", 11) + row("00000000:C3A0", "0A", 12) +
      row("0100007F:C3A0", "01", 13) + row("0100007F:C3A1", "0A", 14) + row("01014D0A:C3A0", "0A", 15),
    "/proc/thread-self/net/tcp6": HEADER + row(`${ANY6}:C3A0`, "0A", 21) + row(`${LOOPBACK6}:C3A0`, "0A", 22),
    "/proc/thread-self/net/udp": HEADER + row("00000000:C3A0", "07", 31),
  });
  const find = (protocol: "tcp" | "udp", family: "ipv4" | "ipv6") =>
    findSockets(files, { protocol, family, port: 50080 });
  assert.deepEqual(find("tcp", "ipv4"), ["11", "12", "21"]);
  assert.deepEqual(find("tcp", "ipv6"), ["21", "22"]);
  assert.deepEqual(find("udp", "ipv4"), ["31"]);
  assert.deepEqual(find("udp", "ipv6"), []);
});

Deno.test("judgePorts() names the program that holds a port, and knows its own", () => {
  const facts = (errno: number, holders: PortFacts["holders"] = []): PortFacts[] => [
    { protocol: "tcp", endpoint: parseEndpoint("127.0.0.1:50080")!, errno, holders },
  ];
  assert.deepEqual(troubles(judgePorts(facts(0))), []);
  const taken = judgePorts(facts(98, [processOf("socat", ["socat", "TCP-LISTEN:50080", "-"])]));
  assert.deepEqual(troubles(taken), ["! warning listener-tcp-ipv4"]);
  assert.match(taken[0].cause, /^socat \(pid 812\) holds it: socat TCP-LISTEN:50080 -$/);
  assert.match(judgePorts(facts(98))[0].cause, /only root can see which/);
  assert.deepEqual(troubles(judgePorts(facts(98, [processOf("tproxy", ["tproxy", "run"])]))), []);
  assert.deepEqual(troubles(judgePorts(facts(13))), ["! not permitted listener-tcp-ipv4"]);
  assert.match(judgePorts(facts(99))[0].remedy, /ip link set lo up/);
});

Deno.test("isTproxy() knows the single file, its bundle and the source by their command lines", () => {
  const loader = ["tproxy", "--library-path", "/x", "/x/deno", "run", "/x/tproxy.js", "run"];
  const source = ["/x/deno", "run", "-A", "/home/me/tproxy/src/cli/entry.ts", "run"];
  for (const words of [loader, source, ["/usr/local/bin/tproxy", "run"]]) {
    assert.ok(isTproxy(processOf("x", words)), words.join(" "));
  }
  for (const words of [["socat", "-"], ["python3", "tproxy.py"], ["xtproxy"]]) {
    assert.ok(!isTproxy(processOf("x", words)), words.join(" "));
  }
});

Deno.test("readPorts() asks the real kernel, and finds the process by its descriptors", () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  try {
    const config = {
      ...configWith({ protocols: ["tcp"], families: ["ipv4"] }),
      listener: { port, workers: 1 },
    };
    const me = processOf("deno", ["deno", "test"], Deno.pid);
    const socket = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name);
    const files = {
      ...memoryFiles({}),
      readText: (path: string) => Deno.readTextFileSync(path),
      list: () => socket,
      readLink: (path: string) => {
        try {
          return Deno.readLinkSync(path);
        } catch {
          return undefined;
        }
      },
    };
    const [taken] = readPorts(files, situationWith({ config, families: ["ipv4"], processes: [me] }));
    assert.equal(taken.errno, 98);
    assert.deepEqual(taken.holders, [me]);
  } finally {
    listener.close();
  }
});
