import assert from "node:assert/strict";
import { judgePorts, type PortFacts, readPorts } from "../../../../src/doctor/checks/listener_port.ts";
import { isTproxy } from "../../../../src/doctor/machine/processes.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";
import { configWith } from "../../kernel/support/view.ts";
import { memoryFiles, processOf, situationWith, troubles } from "../support/machine.ts";

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
