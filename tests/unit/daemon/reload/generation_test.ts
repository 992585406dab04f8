import assert from "node:assert/strict";
import { BUILT_IN, loadText } from "../../../../src/config/load.ts";
import {
  type ConfigSource,
  type Generation,
  loadNext,
  loadUsable,
  makeGeneration,
  prepareGeneration,
} from "../../../../src/daemon/reload/generation.ts";
import { settingsOf } from "../../../../src/dataplane/settings.ts";
import { OperationError } from "../../../../src/net/error.ts";

const FILE = "/etc/tproxy/other.yaml";
/** Rules by name can be planned for an interface that is not there; those for the loopback nowhere. */
const POSSIBLE = "intercept: { interfaces: [nowhere0], families: [ipv4] }";
const IMPOSSIBLE = "intercept: { interfaces: [lo], families: [ipv4] }";

/** A machine like this one, with one config file or none. */
function machine(text: string | undefined, path = FILE) {
  return (asked: string): string => {
    if (asked.startsWith("/proc/")) return Deno.readTextFileSync(asked);
    if (asked !== path || text === undefined) {
      throw Object.assign(new Deno.errors.NotFound(asked), { code: "ENOENT" });
    }
    return text;
  };
}

const settings = (config: Parameters<typeof settingsOf>[0]) =>
  settingsOf(config, { connections: 9, udpSessions: 9 });

function inForce(text: string | undefined, path: string | undefined = FILE): Generation {
  const readTextFile = machine(text, path);
  return makeGeneration(loadUsable({ path, readTextFile }), 4, settings);
}

function prepareFrom(before: Generation, source: ConfigSource) {
  return prepareGeneration(loadNext(before, source), before, { ...source, settingsOf: settings });
}

function prepare(before: Generation, text: string | undefined, path: string | undefined = FILE) {
  return prepareFrom(before, { path, readTextFile: machine(text, path) });
}

Deno.test("loadNext() and prepareGeneration() make what workers and kernel need, with the next number", () => {
  const next = prepare(
    inForce(POSSIBLE),
    `${POSSIBLE}\nlimits: { per-client: 3 }\nrules: [{ action: block }]`,
  );
  assert.equal(next.number, 5);
  assert.equal(next.policy.generation, 5);
  assert.equal(next.policy.routes.length, 1);
  assert.equal(next.settings.perClient, 3);
  assert.deepEqual(next.plan?.lan, ["nowhere0"]);
});

Deno.test("loadNext(): a file that has gone is an error, and so is what this version cannot do", () => {
  assert.throws(
    () => prepare(inForce(POSSIBLE), undefined),
    /^OperationError: Cannot read config ".*": ENOENT/,
  );
  assert.throws(
    () => prepare(inForce(POSSIBLE), "intercept: { router-traffic: true }\nkernel: { backend: iptables }"),
    new RegExp(`^OperationError: ${FILE}:1:\\d+: the router's own traffic .* netlink alone`),
  );
  // Found without being named: the same holds.
  const usual = "/etc/tproxy/tproxy.yaml";
  const found = loadUsable({ path: undefined, readTextFile: machine(POSSIBLE, usual) });
  const before = makeGeneration(found, 1, settings);
  assert.throws(
    () => prepareFrom(before, { path: undefined, readTextFile: machine(undefined) }),
    /ENOENT/,
  );
});

Deno.test("loadNext(): where the defaults are in force, a file may come", () => {
  const before = makeGeneration(
    loadUsable({ path: undefined, readTextFile: machine(undefined) }),
    1,
    settings,
  );
  assert.equal(before.loaded.origin, BUILT_IN);
  const usual = "/etc/tproxy/tproxy.yaml";
  const next = prepareFrom(before, { path: undefined, readTextFile: machine(POSSIBLE, usual) });
  assert.equal(next.loaded.origin, usual);
});

Deno.test("prepareGeneration(): a config without possible rules is refused, unless none are possible anyhow", () => {
  assert.throws(() => prepare(inForce(POSSIBLE), IMPOSSIBLE), (error) => {
    assert.ok(error instanceof OperationError);
    assert.match(error.message, /loopback/);
    return true;
  });
  assert.equal(prepare(inForce(IMPOSSIBLE), `${IMPOSSIBLE}\ndefault: block`).plan, undefined);
  assert.deepEqual(prepare(inForce(IMPOSSIBLE), POSSIBLE).plan?.lan, ["nowhere0"]);
});

Deno.test("makeGeneration() gives the policy the sets of names that were made", () => {
  const loaded = loadText("rules: [{ action: block, domains: [a.example] }]", "test");
  const names = new Map([[0, new SharedArrayBuffer(64)]]);
  const usable = { loaded, warnings: [], names, lists: new Map(), secrets: new Map() };
  const { policy } = makeGeneration(usable, 1, settings);
  assert.deepEqual(policy.names, [...names.values()]);
});
