/**
 * Random rules with names and upstreams, some of which are down, and random flows that say their names: the
 * command `tproxy explain` says what becomes of each, through which upstream, and whether its name is read.
 */
import assert from "node:assert/strict";
import type { Answer } from "../../../src/cli/explain/answer.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import {
  isUdp,
  makeFlows,
  type NamedFlow,
  nameOf,
  NAMES,
  randomFlow,
  randomRule,
  serveFlows,
  TCP_KINDS,
  UDP_KINDS,
} from "../../laboratory/names/random_flows.ts";
import { Random } from "../../laboratory/proxy/policies.ts";
import { type Proxy, startProxy, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startDante } from "../../laboratory/upstreams/proxies.ts";

const SEED = Number(Deno.env.get("TPROXY_TEST_SEED") ?? 1);
const POLICIES = 6;
const FLOWS = 8;
const FIRST_PORT = 20_000;
const ACTIONS = ["block", "direct", "bypass", "proxy", "proxy", "proxy"] as const;
const KINDS = [...TCP_KINDS, ...TCP_KINDS, ...UDP_KINDS];
/** `dead` listens nowhere; `lost` has nothing else. */
const THROUGH = ["office", "named", "dead", "pair", "lost"] as const;
const SERVER = ADDRESSES[4].server;
const UPSTREAMS = {
  upstreams: {
    office: { type: "socks5", address: `${SERVER}:1080` },
    named: { type: "socks5", address: `${SERVER}:1080`, send: "name" },
    dead: { type: "socks5", address: `${SERVER}:1999` },
  },
  groups: {
    pair: { members: ["dead", "named"] },
    lost: { members: ["dead"], "when-down": "direct" },
  },
  checks: { interval: "500ms", timeout: "400ms", rise: 1, fall: 1 },
};
/** The end as the client sees it. */
const SEEN: Readonly<Partial<Record<Answer["end"], string>>> = {
  forwarded: "own",
  relayed: "own",
  upstream: "proxy",
  refused: "block",
};

type Line = Readonly<Record<string, unknown>>;

/** A flow, what was said of it before, and its end. */
interface Asked {
  readonly flow: NamedFlow;
  readonly answer: Answer;
  readonly end: string;
  readonly policy: unknown;
}

labTest(
  "explain says of random flows with names and upstreams what becomes of them",
  { programs: ["python3", "danted"], forwarding: true },
  async (lab) => {
    await lab.router.writeSysctl({ "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0 });
    await serveFlows(lab);
    const hosts = lab.writeFile(
      "hosts",
      NAMES.map((name) => `${SERVER} ${name.replace(/\.$/, "")}\n`).join(""),
    );
    await startDante(lab, { port: 1080, hosts });
    const access = `${lab.directory}/flows.log`;
    const configOf = (rules: readonly unknown[], otherwise: string) => ({
      intercept: { protocols: ["tcp", "udp"] },
      rules,
      default: otherwise,
      ...otherwise === "proxy" ? { "default-upstream": "office" } : {},
      ...UPSTREAMS,
      log: { access, format: "json" },
      timeouts: { "udp-idle": "1s", sniff: "3s" },
    });
    const proxy = await startProxy(lab, {
      config: configOf([{ name: "first", action: "proxy", upstream: "dead" }], "direct"),
    });
    // What nobody uses is not asked.
    await makeFlows(lab, [{ family: 4, port: 7000, kind: "plain", name: "", source: 0 }]);
    await until(() => /an upstream is down.*dead/.test(proxy.log), { what: "the end of one" });
    const asked: Asked[] = [];
    for (let number = 0; number < POLICIES; number++) {
      const random = new Random(SEED * 1000 + number);
      const drawn = Array.from(
        { length: random.below(4) },
        (_, i) => randomRule(random, i, ACTIONS, THROUGH),
      );
      const upstream = THROUGH[number % THROUGH.length];
      // Each upstream is met, those with a choice for certain.
      const sure = { name: "sure", ports: [7000], action: "proxy", upstream };
      const rules = number % THROUGH.length > 2 ? [sure, ...drawn] : [...drawn, sure];
      const otherwise = random.one(ACTIONS);
      writeConfig(lab, configOf(rules, otherwise));
      proxy.program.signal("SIGHUP");
      await until(() => proxy.log.includes(`generation ${number + 2} is in force`), { what: "the reload" });
      const first = FIRST_PORT + asked.length;
      const flows = Array.from({ length: FLOWS }, (_, i) => randomFlow(random, KINDS, first + i));
      const answers = await Promise.all(flows.map((flow) => explained(lab, proxy, flow)));
      const ends = await makeFlows(lab, flows);
      for (const [i, flow] of flows.entries()) {
        asked.push({ flow, answer: answers[i], end: ends[i], policy: { number, rules, otherwise } });
      }
    }
    proxy.program.signal("SIGTERM");
    await proxy.program.waitForExit({ timeoutMs: 60_000 });
    const lines = new Map(
      Deno.readTextFileSync(access).trim().split("\n").map((text): Line => JSON.parse(text))
        .map((line) => [line["client.port"], line]),
    );
    const wrong = asked.flatMap((one) => {
      const line = lines.get(one.flow.source);
      const found = { end: one.end, upstream: line?.["tproxy.upstream"] ?? null, named: hasName(line) };
      const { answer } = one;
      // What the kernel alone has to do with is in no line.
      const named = line === undefined ? false : answer.waits.forName && nameOf(one.flow) !== null;
      const said = { end: SEEN[answer.end], upstream: carrierOf(answer), named };
      const isSame = answer.certain && JSON.stringify(said) === JSON.stringify(found);
      return isSame ? [] : [JSON.stringify({ said, found, ...one, line })];
    });
    assert.equal(wrong.length, 0, `${wrong.length} of ${asked.length}:\n${wrong.slice(0, 4).join("\n")}`);
    const counts: Record<string, number> = {};
    for (const { answer, flow } of asked) {
      const waits = answer.waits.why.includes("send: name") && !isUdp(flow) ? ["told"] : [];
      for (const key of [answer.end, carrierOf(answer) ?? "none", answer.whenDown ?? "", ...waits]) {
        counts[key] = (counts[key] ?? 0) + 1;
      }
    }
    // A run in which nothing goes through an upstream, or none is down, proves little.
    for (const key of ["upstream", "refused", "relayed", "office", "named", "direct", "told"]) {
      assert.ok(counts[key] >= 2, `${key}: ${JSON.stringify(counts)}`);
    }
  },
);

async function explained(lab: Lab, proxy: Proxy, flow: NamedFlow): Promise<Answer> {
  const { client, server } = ADDRESSES[flow.family];
  const name = nameOf(flow);
  const { stdout } = await tproxy(lab, [
    "explain",
    "--json",
    ...["-c", proxy.configPath, "--in", "r0", "--protocol", isUdp(flow) ? "udp" : "tcp"],
    ...["--from", endpointOf(client, flow.source), "--to", endpointOf(server, flow.port)],
    ...name === null ? [] : ["--domain", name],
  ], { mayFail: true });
  return JSON.parse(stdout);
}

function endpointOf(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The upstream that carries it: the group's choice, or the only one. */
function carrierOf({ end, choice, upstreams }: Answer): string | null {
  return end === "upstream" ? choice?.member ?? upstreams[0] : null;
}

function hasName(line: Line | undefined): boolean {
  return line !== undefined && line["tproxy.name"] !== undefined;
}
