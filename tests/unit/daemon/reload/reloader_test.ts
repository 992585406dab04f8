import assert from "node:assert/strict";
import { Secret } from "../../../../src/config/files/secrets.ts";
import { loadText } from "../../../../src/config/load.ts";
import { settingsOf } from "../../../../src/dataplane/settings.ts";
import {
  type Generation,
  makeGeneration,
  type NextGeneration,
  type UsableConfig,
} from "../../../../src/daemon/reload/generation.ts";
import { Reloader, type ReloadParts } from "../../../../src/daemon/reload/reloader.ts";
import { createLogger } from "../../../../src/log.ts";
import { OperationError } from "../../../../src/net/error.ts";

const ROOM = { connections: 10, udpSessions: 10 };
const FILE = "/etc/tproxy/tproxy.yaml";

function complete(usable: UsableConfig, number: number): Generation {
  return makeGeneration(usable, number, (config) => settingsOf(config, ROOM));
}

function generation(text: string): Generation {
  return complete({
    loaded: loadText(text, FILE),
    warnings: [],
    names: new Map(),
    lists: new Map(),
    secrets: new Map(),
  }, 1);
}

/** A reloader whose file has the text that `bench.text` has; all that it does is noted. */
function makeBench(first = "") {
  const done: string[] = [];
  const lines: string[] = [];
  const bench = {
    done,
    lines,
    text: first,
    warnings: [] as readonly string[],
    lists: new Map<string, string>(),
    password: "",
    /** Does what the kernel does. */
    rules: (): Promise<void> => Promise.resolve(),
    reloader: undefined as unknown as Reloader,
  };
  const parts: ReloadParts = {
    log: createLogger({
      level: "info",
      format: "text",
      write: (line) => lines.push(line.slice(25).trimEnd()),
    }),
    load: () => ({
      loaded: loadText(bench.text, FILE),
      warnings: bench.warnings,
      names: new Map(),
      lists: bench.lists,
      secrets: new Map([["office", new Secret(new TextEncoder().encode(bench.password))]]),
    }),
    prepare: (usable, { number }): NextGeneration => ({ ...complete(usable, number + 1), plan: undefined }),
    adoptWorkers: ({ number }) => {
      done.push(`workers ${number}`);
      return Promise.resolve();
    },
    adoptRules: async ({ number }) => {
      done.push(`rules ${number}`);
      await bench.rules();
    },
    adoptRest: ({ number }) => done.push(`rest ${number}`),
    begun: () => done.push("begun"),
    ended: () => done.push("ended"),
  };
  bench.reloader = new Reloader(generation(first), parts);
  return bench;
}

/** Asks for a reload, and waits until all is done. */
async function reload({ reloader }: ReturnType<typeof makeBench>): Promise<void> {
  reloader.request();
  await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test("a reload gives the config to the workers, then to the kernel, and says what has changed", async () => {
  const bench = makeBench();
  bench.text = "timeouts: { connect: 3s }\nrules: [{ action: block }]";
  await reload(bench);
  assert.deepEqual(bench.done, ["begun", "workers 2", "rules 2", "rest 2", "ended"]);
  assert.deepEqual(bench.lines, [
    `info reloaded: generation 2 is in force config=${FILE} changed=rules,timeouts.connect`,
  ]);
  assert.equal(bench.reloader.inForce.settings.connectTicks, generation(bench.text).settings.connectTicks);
  await reload(bench);
  assert.match(bench.lines[1], /^info reloaded: generation 3 .* changed=nothing$/);
});

Deno.test("a reload names the lists and passwords that alone have changed", async () => {
  const bench = makeBench();
  bench.lists = new Map([["/etc/ads.list", "1"], ["/etc/more.list", "1"]]);
  bench.password = "old";
  await reload(bench);
  bench.lists = new Map([["/etc/ads.list", "2"], ["/etc/more.list", "1"]]);
  await reload(bench);
  assert.match(bench.lines[1], / changed=\/etc\/ads\.list$/);
  bench.password = "new";
  await reload(bench);
  assert.match(bench.lines[2], / changed=upstreams\.office\.password-file$/);
});

Deno.test("a config that is wrong changes nothing, and each problem is said with its place", async () => {
  const bench = makeBench();
  bench.text = "timeouts:\n  conect: 3s\nrules:\n  - { action: blok }";
  await reload(bench);
  assert.deepEqual(bench.done, ["begun", "ended"]);
  assert.match(
    bench.lines[0],
    /^error not reloaded: \/etc\/tproxy\/tproxy.yaml:2:3: .* in-force="generation 1"$/,
  );
  assert.match(bench.lines[1], /^error not reloaded: \/etc\/tproxy\/tproxy.yaml:4:\d+: /);
  assert.match(bench.reloader.refusal!, /^\/etc\/tproxy\/tproxy.yaml:2:3: /);
  bench.text = "";
  await reload(bench);
  assert.equal(bench.reloader.inForce.number, 2, "the refused one has no number");
  assert.equal(bench.reloader.refusal, undefined);
});

Deno.test("what only a restart takes over is named in one line, and nothing of the config is taken over", async () => {
  const bench = makeBench();
  bench.text = "timeouts: { connect: 3s }\nlistener:\n  port: 4000\n  workers: 1";
  await reload(bench);
  assert.deepEqual(bench.done, ["begun", "ended"]);
  assert.deepEqual(bench.lines, [
    `error not reloaded: ${FILE}:3:3: listener.port, listener.workers have changed: restart the proxy in-force="generation 1"`,
  ]);
});

Deno.test("where the kernel refuses, the workers go back", async () => {
  const bench = makeBench("timeouts: { connect: 2s }");
  bench.text = "timeouts: { connect: 3s }";
  bench.rules = () =>
    Promise.reject(new OperationError({ operation: "add rule", object: "divert/2", errno: 22 }));
  await reload(bench);
  assert.deepEqual(bench.done, ["begun", "workers 2", "rules 2", "workers 1", "ended"]);
  assert.match(
    bench.lines[0],
    /^error not reloaded: Cannot add rule "divert\/2": EINVAL .* in-force="generation 1"$/,
  );
  assert.equal(bench.reloader.inForce.number, 1);
});

Deno.test("a defect is said, and the next reload is as good as any", async () => {
  const bench = makeBench();
  bench.rules = () => Promise.reject(new TypeError("nobody thought of that"));
  await reload(bench);
  assert.match(bench.lines[0], /^error not reloaded: .*nobody thought of that/);
  assert.equal(bench.done.at(-1), "ended");
  bench.rules = () => Promise.resolve();
  await reload(bench);
  assert.equal(bench.reloader.inForce.number, 2);
});

Deno.test("reloads that are asked for during one come once more after it, never beside it", async () => {
  const bench = makeBench();
  const kernel = Promise.withResolvers<void>();
  bench.rules = () => kernel.promise;
  bench.reloader.request();
  await new Promise((resolve) => setTimeout(resolve, 5));
  for (let times = 0; times < 5; times++) bench.reloader.request();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(bench.done, ["begun", "workers 2", "rules 2"]);
  bench.text = "default: block";
  kernel.resolve();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(bench.done.slice(3), [
    "rest 2",
    "ended",
    "begun",
    "workers 3",
    "rules 3",
    "rest 3",
    "ended",
  ]);
  assert.equal(
    bench.reloader.inForce.loaded.config.default,
    "block",
    "it reads what the file says after the last one",
  );
});

Deno.test("a reloader that is closed ends the reload under way, and begins no other", async () => {
  const bench = makeBench();
  const kernel = Promise.withResolvers<void>();
  bench.rules = () => kernel.promise;
  bench.reloader.request();
  await new Promise((resolve) => setTimeout(resolve, 5));
  bench.reloader.request();
  let closed = false;
  const closing = bench.reloader.close().then(() => closed = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(closed, false);
  kernel.resolve();
  await closing;
  bench.reloader.request();
  assert.equal(bench.done.at(-1), "ended");
  assert.equal(bench.reloader.inForce.number, 2);
  assert.equal(bench.lines.at(-1), "info no reload: the proxy is about to end");
});

Deno.test("a warning is said when it is new", async () => {
  const bench = makeBench();
  bench.warnings = ["t.yaml:1:1: upstreams are not supported yet, none is used"];
  await reload(bench);
  await reload(bench);
  assert.equal(bench.lines.filter((line) => line.startsWith("warn")).length, 1);
});

Deno.test("whoever asks is told how it ended", async () => {
  const bench = makeBench("timeouts: { connect: 2s }");
  bench.text = "timeouts: { connect: 3s }";
  bench.warnings = ["t.yaml:1:1: nothing comes of it"];
  assert.deepEqual(await bench.reloader.request(), {
    state: "adopted",
    generation: 2,
    config: FILE,
    changed: ["timeouts.connect"],
    difference: ["timeouts.connect: 2s → 3s"],
    warnings: bench.warnings,
  });
  bench.text = "timeouts:\n  conect: 3s";
  const bad = await bench.reloader.request();
  assert.ok(bad.state === "bad-config" && bad.generation === 2);
  assert.match(bad.reasons.join("\n"), /^\/etc\/tproxy\/tproxy.yaml:2:3: [^\n]*$/);
  bench.text = "listener: { port: 4000 }";
  assert.equal((await bench.reloader.request()).state, "bad-config");
  bench.text = "";
  bench.rules = () =>
    Promise.reject(new OperationError({ operation: "add rule", object: "divert/2", errno: 22 }));
  const failed = await bench.reloader.request();
  assert.ok(failed.state === "failed");
  assert.match(failed.reasons[0], /^Cannot add rule/);
  await bench.reloader.close();
  assert.equal((await bench.reloader.request()).state, "ending");
});

Deno.test("two who ask during a reload are told of the next one; it reads what they have written", async () => {
  const bench = makeBench();
  const kernel = Promise.withResolvers<void>();
  bench.rules = () => kernel.promise;
  const first = bench.reloader.request();
  await new Promise((resolve) => setTimeout(resolve, 5));
  bench.text = "default: block";
  const [second, third] = [bench.reloader.request(), bench.reloader.request()];
  kernel.resolve();
  const outcomes = await Promise.all([first, second, third]);
  assert.deepEqual(outcomes.map(({ generation }) => generation), [2, 3, 3]);
  assert.equal(outcomes[1], outcomes[2]);
});
