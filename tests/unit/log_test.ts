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

Deno.test("createLogger() writes JSON whose own keys no field can replace", () => {
  const { lines, log } = recorder({ format: "json" });
  log.warn("refused", { level: "info", port: 80, domain: "a\nb" });
  assert.equal(lines.length, 1);
  assert.equal(lines[0].indexOf("\n"), lines[0].length - 1);
  assert.deepEqual(JSON.parse(lines[0]), {
    time: "2026-11-23T10:00:00.000Z",
    level: "warn",
    message: "refused",
    port: 80,
    domain: "a\nb",
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
  assert.equal(JSON.parse(json[0]).domain, domain);
});

Deno.test("createLogger() counts a flood instead of writing it, and tells the count", () => {
  const { lines, clock, log } = recorder();
  for (let i = 0; i < 100_000; i++) {
    log.warn("accept failed", { i });
    clock.ms += 1;
  }
  // 100 s are 4 windows: 10 lines in each, and the counts of the first three.
  assert.equal(lines.length, 43);
  log.info("other");
  assert.equal(lines.length, 44);
  log.flush();
  const counts = lines.map((line) => Number(/: (\d+) similar suppressed/.exec(line)?.[1] ?? 0));
  const told = counts.reduce((sum, count) => sum + count, 0);
  const written = lines.filter((line) => line.includes(" i=")).length;
  assert.equal(told + written, 100_000);
  log.flush();
  assert.equal(lines.length, 45);
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
