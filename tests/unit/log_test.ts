import assert from "node:assert/strict";
import { createLogger, type LoggerOptions } from "../../src/log.ts";

function recorder(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const clock = { ms: Date.UTC(2026, 10, 23, 10) };
  const log = createLogger({
    level: "info",
    format: "text",
    write: (line) => lines.push(line),
    now: () => new Date(clock.ms),
    ...options,
  });
  return { lines, clock, log };
}

Deno.test("createLogger() writes time, level, message and fields as text", () => {
  const { lines, log } = recorder();
  log.info("connected", { client: "10.0.0.1:40000", bytes: 12, reason: 'it said "no"', empty: "" });
  assert.deepEqual(lines, [
    '2026-11-23T10:00:00.000Z info connected client=10.0.0.1:40000 bytes=12 reason="it said \\"no\\"" empty=""\n',
  ]);
});

Deno.test("createLogger() writes syslog's severity instead of a clock for the journal", () => {
  const { lines, log } = recorder({ journal: true, level: "debug" });
  log.error("a");
  log.warn("b");
  log.info("c");
  log.debug("d");
  assert.deepEqual(lines, ["<3>a\n", "<4>b\n", "<6>c\n", "<7>d\n"]);
});

Deno.test("createLogger() writes JSON for the journal with a severity too, which journald takes off", () => {
  const { lines, log } = recorder({ journal: true, format: "json" });
  log.warn("a");
  assert.equal(lines[0], '<4>{"time":"2026-11-23T10:00:00.000Z","level":"warn","msg":"a"}\n');
});

Deno.test("createLogger() names the fields of JSON as OpenTelemetry does", () => {
  const { lines, log } = recorder({ format: "json" });
  const fields = { client: "10.0.0.1:40000", destination: "[2001:db8::1]:443", server: "192.0.2.1:1080" };
  log.info("flow", { ...fields, protocol: "udp", "bytes-up": 1, "duration-ms": 1500, "rule-index": 2 });
  log.warn("over the limit", { client: "fd00:1::2" });
  const [flow, limit] = lines.map((line) => JSON.parse(line));
  const time = "2026-11-23T10:00:00.000Z";
  assert.deepEqual(flow, {
    time,
    level: "info",
    msg: "flow",
    "client.address": "10.0.0.1",
    "client.port": 40000,
    "server.address": "2001:db8::1",
    "server.port": 443,
    "network.peer.address": "192.0.2.1",
    "network.peer.port": 1080,
    "network.transport": "udp",
    bytes_up: 1,
    duration_s: 1.5,
    "tproxy.rule_index": 2,
  });
  assert.deepEqual(limit, { time, level: "warn", msg: "over the limit", "client.address": "fd00:1::2" });
});

Deno.test("createLogger() writes JSON whose own keys no field can pretend to be", () => {
  const { lines, log } = recorder({ format: "json" });
  log.warn("refused", { level: "info", port: 80, domain: "a\nb" });
  assert.equal(lines.length, 1);
  assert.equal(lines[0].indexOf("\n"), lines[0].length - 1);
  assert.deepEqual(JSON.parse(lines[0]), {
    time: "2026-11-23T10:00:00.000Z",
    level: "warn",
    msg: "refused",
    "tproxy.level": "info",
    "tproxy.port": 80,
    "tproxy.domain": "a\nb",
  });
});

Deno.test("createLogger() drops what is below its level", () => {
  const { lines, log } = recorder({ level: "warn" });
  log.info("no");
  log.debug("no");
  log.warn("yes");
  assert.equal(lines.length, 1);
  assert.deepEqual(["error", "warn", "info", "debug"].map((level) => log.enabled(level as "info")), [
    true,
    true,
    false,
    false,
  ]);
});

Deno.test("createLogger() lets no value start a line or command a terminal", () => {
  const { lines, log } = recorder();
  log.info("x", { domain: "evil\n2026 error fake\u001b[2J\u2028" });
  assert.equal(lines[0].trimEnd().split(/[\n\u2028]/).length, 1);
  assert.ok(!lines[0].includes("\u001b"));
  const { lines: json, log: jsonLog } = recorder({ format: "json" });
  const domain = "evil\u009b2J\u007f\u2028\u001b";
  jsonLog.info("x", { domain });
  assert.doesNotMatch(json[0].trimEnd(), /[\p{Cc}\p{Zl}]/u);
  assert.equal(JSON.parse(json[0])["tproxy.domain"], domain);
});

Deno.test("createLogger() counts a flood instead of writing it, and tells the count", () => {
  const { lines, clock, log } = recorder();
  for (let i = 0; i < 100_000; i++) {
    log.warn("accept failed", { i });
    clock.ms += 1;
  }
  // 100 s are 2 windows: 20 lines in each, and the count of the first.
  assert.equal(lines.length, 41);
  log.info("other");
  assert.equal(lines.length, 42);
  log.flush();
  const counts = lines.map((line) => Number(/ more-in-the-last-minute=(\d+)\n$/.exec(line)?.[1] ?? 0));
  const told = counts.reduce((sum, count) => sum + count, 0);
  const written = lines.filter((line) => line.includes(" i=")).length;
  assert.deepEqual([told + written, told], [100_000, log.heldBack]);
  log.flush();
  assert.equal(lines.length, 43);
});

Deno.test("createLogger() holds no debug line back", () => {
  const { lines, log } = recorder({ level: "debug" });
  for (let i = 0; i < 100; i++) log.debug("connection", { i });
  assert.equal(lines.length, 100);
});

Deno.test("createLogger() remembers a bounded number of messages", () => {
  const { lines, log } = recorder();
  for (let i = 0; i < 20_000; i++) log.info(`message ${i % 1000}`);
  assert.equal(lines.filter((line) => /message \d+$/.test(line.trimEnd())).length, 20_000);
});

Deno.test("setLevel() counts from the next line on", () => {
  const lines: string[] = [];
  const log = createLogger({
    level: "warn",
    format: "text",
    write: (line) => lines.push(line),
    journal: true,
  });
  log.info("one");
  log.setLevel("debug");
  assert.equal(log.level, "debug");
  assert.ok(log.enabled("debug"));
  log.debug("two");
  log.setLevel("error");
  log.warn("three");
  assert.deepEqual(lines, ["<7>two\n"]);
});
