/**
 * The whole product under random rules, a reload for each policy: TCP and QUIC, with and without names, the
 * kernel, the watcher, the relay and an upstream. Each flow ends as a person reads the rules, and the access
 * log has what the proxy has had to do with.
 */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import {
  makeFlows,
  type NamedFlow,
  randomFlow,
  randomRule,
  readRules,
  type Said,
  seenEnd,
  serveFlows,
  TCP_KINDS,
  UDP_KINDS,
} from "../../laboratory/names/random_flows.ts";
import { Random } from "../../laboratory/proxy/policies.ts";
import { startProxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startDante } from "../../laboratory/upstreams/proxies.ts";

const ACTIONS = ["block", "block", "direct", "proxy", "bypass", "bypass"] as const;
const KINDS = [...TCP_KINDS, ...UDP_KINDS];
const POLICIES = 8;
const FLOWS = 16;
const SEED = Number(Deno.env.get("TPROXY_TEST_SEED") ?? 1);
const FIRST_PORT = 20_000;
/** Sessions of UDP live for six seconds at least, where the router is asked. */
const LINES_MS = 20_000;

type Line = Readonly<Record<string, unknown>>;

interface Made {
  readonly flow: NamedFlow;
  readonly said: Said;
  readonly end: string;
  /** For whoever reads a failure. */
  readonly policy: unknown;
}

labTest(
  "Random flows end, and are in the access log, as random rules say, by the product as a whole",
  { programs: ["python3", "danted"], forwarding: true },
  async (lab) => {
    await lab.router.writeSysctl({ "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0 });
    await serveFlows(lab);
    await startDante(lab, { port: 1080 });
    const access = `${lab.directory}/flows.log`;
    const configOf = (rules: readonly unknown[], otherwise: string) => ({
      intercept: { protocols: ["tcp", "udp"] },
      rules,
      default: otherwise,
      ...otherwise === "proxy" ? { "default-upstream": "office" } : {},
      upstreams: { office: { type: "socks5", address: `${ADDRESSES[4].server}:1080` } },
      log: { access, format: "json" },
      timeouts: { "udp-idle": "1s", sniff: "3s" },
    });
    const proxy = await startProxy(lab, { config: configOf([], "direct") });
    const made: Made[] = [];
    for (let number = 0; number < POLICIES; number++) {
      const random = new Random(SEED * 1000 + number);
      const rules = Array.from({ length: 1 + random.below(4) }, (_, i) => randomRule(random, i, ACTIONS));
      const otherwise = random.one(ACTIONS);
      writeConfig(lab, configOf(rules, otherwise));
      proxy.program.signal("SIGHUP");
      await until(() => proxy.log.includes(`generation ${number + 2} is in force`), { what: "the reload" });
      const first = FIRST_PORT + made.length;
      const flows = Array.from({ length: FLOWS }, (_, i) => randomFlow(random, KINDS, first + i));
      const ends = await makeFlows(lab, flows);
      for (const [i, flow] of flows.entries()) {
        const said = readRules(rules, otherwise, flow);
        made.push({ flow, said, end: ends[i], policy: { number, rules, otherwise } });
      }
    }
    const readLines = () =>
      new Map(
        Deno.readTextFileSync(access).trim().split("\n").filter((text) => text.includes('"flow"'))
          .map((text): Line => JSON.parse(text)).map((line) => [line["client.port"], line]),
      );
    const wanted = made.filter(({ said }) => hasLine(said));
    await until(() => wanted.every(({ flow }) => readLines().has(flow.source)), {
      what: "lines of all flows",
      timeoutMs: LINES_MS,
    }).catch(() => {}); // what is missing is told below
    const lines = readLines();
    const wrong = made.flatMap((one) => {
      const line = lines.get(one.flow.source);
      return one.end === seenEnd(one.said) && isLineOf(line, one.said)
        ? []
        : [JSON.stringify({ ...one, line })];
    });
    assert.equal(wrong.length, 0, `${wrong.length} of ${made.length}:\n${wrong.slice(0, 5).join("\n")}`);
    // A run in which nothing is blocked or watched proves little.
    const counts: Record<string, number> = {};
    for (const { said, flow } of made) {
      for (const key of [said.action, flow.kind, ...isWatched(said) ? ["watched"] : []]) {
        counts[key] = (counts[key] ?? 0) + 1;
      }
    }
    for (const key of [...ACTIONS, ...KINDS, "watched"]) {
      assert.ok(counts[key] >= 4, `${key}: ${JSON.stringify(counts)}`);
    }
  },
);

/** The proxy relays what may have to go by it. */
function isRelayed({ open }: Said): boolean {
  return open.includes("direct") || open.includes("proxy");
}

/** The kernel forwards it, unless its name ends it. */
function isWatched({ open }: Said): boolean {
  return open.includes("bypass") && open.includes("block") && !isRelayed({ open } as Said);
}

/** Tells whether a line is due: the kernel alone leaves none, nor the watcher of what it lets go. */
function hasLine(said: Said): boolean {
  if (said.open.every((action) => action === "block")) return false;
  return isRelayed(said) || said.action === "block";
}

function isLineOf(line: Line | undefined, said: Said): boolean {
  if (line === undefined || !hasLine(said)) return line === undefined && !hasLine(said);
  const isBlocked = line["tproxy.end"] === "blocked";
  return line["tproxy.rule"] === said.rule && line["tproxy.action"] === said.action &&
    isBlocked === (said.action === "block");
}
