import assert from "node:assert/strict";
import { openForAppending } from "../../../../ffi/sockets/stream.ts";
import { AccessLog } from "../../../../src/daemon/access/access_log.ts";
import type { OpenForAppending } from "../../../../src/daemon/access/access_file.ts";
import { fieldsOf } from "../../../../src/daemon/access/fields.ts";
import type { EndedFlow, EndedFlows } from "../../../../src/dataplane/flows/ended_flows.ts";
import { createLogger, formatLine, type LogFields } from "../../../../src/log.ts";
import { EACCES } from "../../../../src/net/errno.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";

const FLOW: EndedFlow = {
  key: { worker: 0, protocol: "tcp", slot: 1, tag: 2 },
  protocol: "tcp",
  client: parseEndpoint("10.0.0.1:1000")!,
  destination: parseEndpoint("[2001:db8::1]:443")!,
  server: null,
  name: "a.example",
  rule: "no ads",
  ruleIndex: 2,
  action: "block",
  upstream: null,
  group: null,
  started: 1000,
  ended: 2500.4,
  connectMs: null,
  bytesUp: 1,
  bytesDown: 2,
  ending: "blocked",
};

/** Flows that wait to be read, as the workers' rings have them. */
function queue(flows: EndedFlow[], missed = 0): EndedFlows {
  return {
    want: () => {},
    read: () => flows.shift(),
    skip: () => flows.splice(0).length,
    missed: () => [missed, missed = 0][0],
  } as unknown as EndedFlows;
}

function open(
  flows: EndedFlow[],
  options: { room?: () => boolean; missed?: number; open?: OpenForAppending } = {},
) {
  const lines: string[] = [];
  const format = (at: number, message: string, fields: LogFields) =>
    formatLine({ format: "text" }, new Date(at), "info", message, fields);
  const access = new AccessLog({
    flows: queue(flows, options.missed),
    stream: {
      get hasRoom() {
        return options.room?.() ?? true;
      },
      write: (line) => void lines.push(line),
    },
    formatInStream: format,
    formatInFile: format,
    log: createLogger({ level: "info", format: "text", write: (line) => void lines.push(line) }),
    ...options.open === undefined ? {} : { open: options.open },
  });
  return { access, lines };
}

Deno.test("A line of the access log has all that is known of a flow", () => {
  const at = new Date(2500.4);
  assert.equal(
    formatLine({ format: "text" }, at, "info", "flow", fieldsOf(FLOW)),
    "1970-01-01T00:00:02.500Z info flow protocol=tcp client=10.0.0.1:1000 destination=[2001:db8::1]:443 " +
      'name=a.example rule="no ads" rule-index=2 action=block bytes-up=1 bytes-down=2 duration-ms=1500 end=blocked\n',
  );
  const direct = { ...FLOW, rule: null, ruleIndex: null, name: null, action: "proxy", connectMs: 3 } as const;
  assert.deepEqual(
    JSON.parse(
      formatLine({ format: "json" }, at, "info", "flow", fieldsOf({ ...direct, upstream: "office" })),
    ),
    {
      time: "1970-01-01T00:00:02.500Z",
      level: "info",
      msg: "flow",
      "network.transport": "tcp",
      "client.address": "10.0.0.1",
      "client.port": 1000,
      "server.address": "2001:db8::1",
      "server.port": 443,
      "tproxy.action": "proxy",
      "tproxy.upstream": "office",
      bytes_up: 1,
      bytes_down: 2,
      duration_s: 1.5,
      connect_s: 0.003,
      "tproxy.end": "blocked",
    },
  );
});

Deno.test("A name that a client has sent cannot leave its field, nor its line", () => {
  for (const name of ['x" end=closed\n2026 info flow', "\x1b[2J\u2028", "a=b c", '","end":"closed']) {
    const text = formatLine({ format: "text" }, new Date(0), "info", "flow", fieldsOf({ ...FLOW, name }));
    assert.equal(text.indexOf("\n"), text.length - 1);
    assert.doesNotMatch(text.slice(0, -1), /\p{Cc}|\u2028/u);
    assert.match(text, / name="(?:[^"\\]|\\.)*" rule=/);
    const json = formatLine({ format: "json" }, new Date(0), "info", "flow", fieldsOf({ ...FLOW, name }));
    assert.equal(json.indexOf("\n"), json.length - 1);
    assert.deepEqual([JSON.parse(json)["tproxy.name"], JSON.parse(json)["tproxy.end"]], [name, "blocked"]);
  }
});

Deno.test("The access log writes 1,000 lines in a second, and counts the rest in one", async () => {
  const flows = new Array<EndedFlow>(3000).fill(FLOW);
  const { access, lines } = open(flows, { missed: 5 });
  access.adopt("on");
  const now = Date.now();
  access.read(now);
  assert.equal(lines.length, 1001);
  assert.match(lines[1000], / flows without a line over-the-rate=2000 not-read-in-time=5\n$/);
  flows.push(...new Array<EndedFlow>(300).fill(FLOW));
  access.read(now + 100);
  assert.equal(lines.length, 1101);
  assert.equal(lines.filter((line) => line.includes("without")).length, 1, "not yet");
  flows.push(...new Array<EndedFlow>(10).fill(FLOW));
  access.read(now + 1100);
  assert.match(lines.at(-1)!, / over-the-rate=200 not-read-in-time=0\n$/);
  await access.end();
});

Deno.test("The access log leaves flows where they are while nobody takes its lines", async () => {
  const flows = new Array<EndedFlow>(100).fill(FLOW);
  const { access, lines } = open(flows, { room: () => lines.length < 40 });
  access.adopt("on");
  access.read(Date.now());
  assert.deepEqual([lines.length, flows.length], [40, 60]);
  await access.end();
});

Deno.test("The access log appends to its file, and to another when that was moved away", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/access.log`;
  const flows = [FLOW];
  const { access, lines } = open(flows);
  Deno.writeTextFileSync(path, "before\n");
  access.adopt(path);
  access.read(Date.now());
  Deno.renameSync(path, `${path}.1`);
  flows.push(FLOW, FLOW);
  access.reopen();
  flows.push(FLOW);
  await access.end();
  const count = (file: string) => Deno.readTextFileSync(file).trimEnd().split("\n").length;
  assert.deepEqual([count(`${path}.1`), count(path), lines], [4, 1, []]);
  assert.equal(Deno.statSync(path).mode! & 0o777, 0o640);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("An access log that cannot be opened anew goes on where it was, and says so", async () => {
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/access.log`;
  const flows = [FLOW];
  let opened = 0;
  const { access, lines } = open(flows, {
    open: (path, mode) => opened++ === 0 ? openForAppending(path, mode) : -EACCES,
  });
  access.adopt(path);
  access.read(Date.now());
  access.reopen();
  flows.push(FLOW);
  access.read(Date.now());
  await access.end();
  assert.equal(Deno.readTextFileSync(path).trimEnd().split("\n").length, 2);
  assert.match(lines.join(), /^\S+ warn the access log cannot be opened anew.* file=\S+ reason=EACCES\n$/);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("An access log that cannot be opened is said, and nothing else happens", async () => {
  const directory = Deno.makeTempDirSync();
  const { access, lines } = open([FLOW]);
  access.adopt(`${directory}/none/access.log`);
  access.read(Date.now());
  assert.match(lines.join(), / error the access log cannot be opened file=\S+ reason=ENOENT\n$/);
  Deno.mkdirSync(`${directory}/none`);
  access.reopen();
  await access.end();
  assert.equal(Deno.statSync(`${directory}/none/access.log`).size, 0);
  Deno.removeSync(directory, { recursive: true });
});
