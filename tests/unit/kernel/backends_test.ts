import assert from "node:assert/strict";
import { parseConfig } from "../../../src/config/load.ts";
import type { Backend } from "../../../src/kernel/backend/backend.ts";
import { backendOf } from "../../../src/kernel/backends.ts";
import { compilerOf, compilerWithFormat } from "../../../src/kernel/compilers.ts";
import { planInstall } from "../../../src/kernel/plan/plan.ts";
import { ROUTER } from "./support/view.ts";

const NAMES: readonly Backend["name"][] = ["netlink", "iptables"];

function configOf(name: string, intercept = "{}") {
  return parseConfig(`kernel: { backend: ${name} }\nintercept: ${intercept}`, "f");
}

Deno.test("backendOf() and compilerOf() give what the config names, compilerWithFormat() what a language does", () => {
  assert.deepEqual(NAMES.map((name) => backendOf(configOf(name)).name), NAMES);
  assert.deepEqual(NAMES.map((name) => compilerOf(configOf(name)).name), NAMES);
  assert.deepEqual((["nft", "iptables"] as const).map((format) => compilerWithFormat(format).name), NAMES);
});

for (const name of NAMES) {
  Deno.test(`the backend ${name} compiles a plan into a script of its language`, () => {
    const config = configOf(name);
    const compiled = backendOf(config).compile(planInstall(config, ROUTER));
    const script = compiled.script({ origin: "test.yaml" });
    assert.match(script, /with the config of: test.yaml\n/);
    assert.match(script, /\nip -4 rule add priority 500 /);
    assert.equal(/^nft -f -/m.test(script), name === "netlink");
    assert.equal(/iptables-restore --noflush/.test(script), name === "iptables");
    assert.deepEqual(Object.keys(compiled.document), name === "netlink" ? [] : ["iptables"]);
  });
}

Deno.test("a backend says what it cannot keep of intercept.on-failure, and whether its proxy must be root", () => {
  const says = (name: string, onFailure: string) => {
    const config = configOf(name, `{ on-failure: ${onFailure} }`);
    return backendOf(config).describeFailure(config);
  };
  assert.equal(says("netlink", "open"), "");
  assert.equal(says("iptables", "drop"), "on-failure: drop holds at every moment");
  assert.match(says("iptables", "reset"), /^on-failure: reset holds as soon as .* from 2 s later/);
  assert.deepEqual(NAMES.map((name) => backendOf(configOf(name)).needsRoot), [false, true]);
});
