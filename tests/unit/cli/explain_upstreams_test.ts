import assert from "node:assert/strict";
import {
  chooseUpstream,
  statesOf,
  type UpstreamReport,
  wordStates,
} from "../../../src/cli/explain/upstreams.ts";
import { parseConfig } from "../../../src/config/load.ts";
import type { Strategy } from "../../../src/config/upstreams/types.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { run } from "./fake_env.ts";

const YAML = `
upstreams:
  office: { type: socks5, address: "192.0.2.9:1080" }
  spare: { type: socks5, address: "proxy.example:1080" }
  lte: { type: direct, interface: wwan0 }
groups: { away: { members: [office, spare, lte], strategy: hash, when-down: block } }
rules: [{ name: led, to: [198.51.100.0/24], action: proxy, upstream: away }]
default: bypass
`;
const config = parseConfig(YAML, "f");
const UPSTREAMS = ["office", "spare", "lte"];

type Known = NonNullable<UpstreamReport["upstreams"]>[number];

function known(name: string, known: Partial<Known> = {}): Known {
  return { name, state: "up", reason: "", connections: 0, addresses: ["192.0.2.9:1080"], ...known };
}

function choose(strategy: Strategy, upstreams: readonly Known[] | undefined, client = "192.168.1.20") {
  const report = upstreams && { pid: 1, upstreams };
  const facts = { policy: { upstreams: UPSTREAMS, strategy }, config, report, client: parseIp(client)! };
  const states = statesOf(facts);
  return { ...chooseUpstream(facts, states)!, words: wordStates(states, strategy) };
}

Deno.test("explain names the first member that is up, of those that have an address", () => {
  const down = { state: "down", reason: "connection refused" } as const;
  assert.deepEqual(choose("failover", UPSTREAMS.map((name) => known(name))).upstream, "office");
  assert.deepEqual(
    choose("failover", [
      known("office", down),
      known("spare", { addresses: [] }),
      known("lte", { addresses: [] }),
    ]),
    {
      upstream: "lte",
      why: "the first that is up",
      words: "office (down: connection refused), then spare (up: its name has no address), then lte (up)",
    },
  );
  const none = choose("failover", [
    known("office", down),
    known("spare", { addresses: [] }),
    known("lte", down),
  ]);
  assert.deepEqual([none.upstream, none.why], [null, "none is up"]);
});

Deno.test("explain names the member with the fewest connections", () => {
  const counts = [3, 1, 1];
  assert.deepEqual(
    choose("least-connections", UPSTREAMS.map((name, index) => known(name, { connections: counts[index] }))),
    {
      upstream: "spare",
      why: "the first with the fewest connections (1)",
      words: "office (up, 3 connections), spare (up, 1 connections), lte (up, 1 connections)",
    },
  );
});

Deno.test("explain names the member that has the client, by its hash", () => {
  const all = UPSTREAMS.map((name) => known(name));
  const clients = Array.from({ length: 60 }, (_, index) => `192.168.1.${index}`);
  const before = clients.map((client) => choose("hash", all, client).upstream);
  assert.deepEqual(new Set(before), new Set(UPSTREAMS));
  const without = all.map((one) => one.name === "office" ? { ...one, state: "refused" as const } : one);
  for (const [index, client] of clients.entries()) {
    const now = choose("hash", without, client);
    assert.equal(now.why, "by the hash of the client's address");
    if (before[index] !== "office") assert.equal(now.upstream, before[index]);
    else assert.notEqual(now.upstream, "office");
  }
});

Deno.test("explain says of a group which member it would be, and that no proxy tells", async () => {
  const question = [
    "explain",
    "-c",
    "f",
    "--rules-only",
    "--from",
    "192.168.1.20",
    "--to",
    "198.51.100.1:443",
  ];
  const { stdout } = await run(question, { files: { f: YAML } });
  const { upstream } = choose("hash", undefined);
  assert.match(
    stdout,
    new RegExp(
      `^upstream: group away \\(hash\\): office, spare, lte; now ${upstream}, by the hash of the client's address ` +
        "\\(no proxy tells of all of them\\); when down: block$",
      "m",
    ),
  );
  const json = JSON.parse((await run([...question, "--json"], { files: { f: YAML } })).stdout);
  assert.deepEqual([json.group, json.strategy, json.choice.upstream], ["away", "hash", upstream]);
});
