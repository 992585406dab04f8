/**
 * Plans as rules of iptables, against what iptables-save has printed of rules that a person wrote
 * (scripts/lib/record/iptables).
 */
import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import type { FamilyRules } from "../../../../../src/kernel/iptables/compile/model.ts";
import { compileIptables } from "../../../../../src/kernel/iptables/compile/compile.ts";
import type { Plan } from "../../../../../src/kernel/plan/model.ts";
import { parseSaved } from "../../../../../src/kernel/iptables/state/saved.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import { OperationError } from "../../../../../src/net/error.ts";
import { ROUTER } from "../../support/view.ts";

function plan(config: Record<string, unknown>): FamilyRules[] {
  const parsed = parseConfig(JSON.stringify({ version: 1, ...config }), "test");
  return compileIptables(planInstall(parsed, ROUTER, { admission: "early" }));
}

function recorded(name: string) {
  return parseSaved(
    Deno.readTextFileSync(new URL(`../../../../testdata/iptables/${name}.txt`, import.meta.url)),
  );
}

const CONFIGS: Readonly<Record<string, Record<string, unknown>>> = {
  "reset.ipv4": { intercept: { "on-failure": "reset", ports: [80, 443, "8000-8100"] } },
  "rules.ipv6": {
    intercept: { "on-failure": "drop", interfaces: ["br-lan", "eth0"] },
    kernel: { mark: 0x10 },
    udp: { filtering: "endpoint-independent" },
    default: "bypass",
    source: "client-address",
    rules: [
      {
        from: ["2001:db8::/32", "fd00::/8"],
        to: ["2001:db8:1::", "2001:db8:1::1", "2001:db8:1::2"],
        action: "direct",
      },
      { mac: ["02:00:5e:10:00:0a"], protocol: "udp", action: "block", silent: true },
      { ports: [80], protocol: "tcp", action: "deliver", "deliver-port": 3129 },
    ],
  },
};

for (const [name, config] of Object.entries(CONFIGS)) {
  for (const kind of ["nft", "legacy"]) {
    Deno.test(`compileIptables() plans what iptables-${kind}-save prints: ${name}`, () => {
      const { tables } = plan(config).find(({ family }) => family === name.split(".")[1])!;
      const saved = recorded(`${name}.${kind}`);
      assert.deepEqual(
        tables.map(({ table }) => table).toSorted(),
        saved.map(({ table }) => table).toSorted(),
      );
      for (const { table, chains, jumps } of tables) {
        const there = saved.find((each) => each.table === table)!;
        const planned = new Map(
          chains.map(({ name, rules }) => [name, rules.map(({ text }) => lower(text))]),
        );
        const found = new Map([...there.chains].map(([name, rules]) => [name, rules.map(lower)]));
        assert.deepEqual(new Map([...planned].toSorted()), new Map([...found].toSorted()));
        assert.deepEqual(
          jumps.toSorted(byChain),
          there.jumps.map(({ from, text }) => ({ from, text })).toSorted(byChain),
        );
      }
    });
  }
}

/** Hardware addresses are printed in capitals by some versions. */
function lower(text: string): string {
  return text.replace(/--mac-source \S+/, (option) => option.toLowerCase());
}

function byChain(a: { from: string }, b: { from: string }): number {
  return a.from.localeCompare(b.from);
}

function textsOf(rules: FamilyRules[], family: string): string[] {
  return rules.filter((each) => each.family === family).flatMap(({ tables }) =>
    tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules.map(({ text }) => text)))
  );
}

Deno.test("compileIptables() loads raw, which marks packets, after the tables that need marks", () => {
  const rules = plan({ intercept: { "on-failure": "reset" } });
  for (const { tables } of rules) {
    assert.deepEqual(tables.map(({ table }) => table), ["mangle", "filter", "raw"]);
  }
  assert.deepEqual(plan({})[0].tables.map(({ table }) => table), ["mangle", "raw"]);
});

Deno.test("compileIptables() asks whether a proxy runs only where on-failure says something else than TPROXY does", () => {
  for (const [onFailure, asks] of [["open", true], ["reset", true], ["drop", false]] as const) {
    const texts = textsOf(plan({ intercept: { "on-failure": onFailure } }), "ipv6");
    assert.equal(texts.some((text) => text.includes("--name tproxy_ipv6")), asks, onFailure);
  }
});

Deno.test("compileIptables() gives no more ports to a rule than multiport takes, a range counting twice", () => {
  const ports = [...Array.from({ length: 14 }, (_, i) => 2 * i + 1), "100-200", "300-400", 500];
  const texts = textsOf(plan({ intercept: { protocols: ["tcp"], ports } }), "ipv4");
  const lists = texts.flatMap((text) => /--dports (\S+)/.exec(text)?.[1] ?? []);
  assert.deepEqual(lists, ["1,3,5,7,9,11,13,15,17,19,21,23,25,27", "100:200,300:400,500"]);
});

Deno.test("compileIptables() with one family plans nothing for the other", () => {
  const rules = plan({ intercept: { families: ["ipv6"] } });
  assert.deepEqual(rules.map(({ family }) => family), ["ipv6"]);
  assert.doesNotMatch(textsOf(rules, "ipv6").join("\n"), /127\.0\.0\.1|tproxy_ipv4/);
});

Deno.test("compileIptables() refuses to deliver where on-failure needs to know whether a program listens", () => {
  const rules = [{ ports: [80], action: "deliver", "deliver-port": 3129 }];
  for (const onFailure of ["open", "reset"]) {
    assert.throws(() => plan({ intercept: { "on-failure": onFailure }, rules }), (error) => {
      assert.ok(error instanceof OperationError && error.usage);
      assert.match(
        error.message,
        /Cannot use action "deliver": where nobody listens, TPROXY of iptables drops/,
      );
      return true;
    });
  }
  assert.equal(plan({ intercept: { "on-failure": "drop" }, rules }).length, 2);
});

Deno.test("compileIptables() refuses names of interfaces that iptables reads otherwise", () => {
  for (const name of ["tun+", "a!b", "it's"]) {
    const config = parseConfig(JSON.stringify({ version: 1, intercept: { interfaces: [name] } }), "test");
    const view = { ...ROUTER, links: [...ROUTER.links, { name, loopback: false }] };
    assert.throws(() => compileIptables(planInstall(config, view)), /Cannot write for iptables/);
  }
});

/** The same intent, with other names for its chains. */
function renamed(plan: Plan, rename: (name: string) => string): Plan {
  const chains = plan.intent.chains.map((chain) => ({
    ...chain,
    name: rename(chain.name),
    rules: chain.rules.map((rule) => ({
      ...rule,
      effect: rule.effect.kind === "go" ? { ...rule.effect, to: rename(rule.effect.to) } : rule.effect,
    })),
  }));
  return { ...plan, intent: { ...plan.intent, chains } };
}

Deno.test("compileIptables() goes by what chains are for, and not by their names in nft", () => {
  const configs = [...Object.values(CONFIGS), { intercept: { "on-failure": "open" } }, { default: "block" }];
  for (const config of configs) {
    const early = { version: 1, ...config, kernel: { backend: "iptables" } };
    const planned = planInstall(parseConfig(JSON.stringify(early), "test"), ROUTER);
    const texts = JSON.stringify(compileIptables(renamed(planned, (name) => `other_${name}`)));
    const names = planned.intent.chains.map(({ name }) => `TPROXY_${name.toUpperCase()}`);
    assert.deepEqual(names.filter((name) => texts.includes(name)), []);
    assert.equal(texts.replaceAll("TPROXY_OTHER_", "TPROXY_"), JSON.stringify(compileIptables(planned)));
  }
});
