/** The member of a group that explain names: as workers choose it, and only where that can be known. */
import assert from "node:assert/strict";
import { chooseMember } from "../../../src/cli/explain/member.ts";
import type { UpstreamState } from "../../../src/cli/explain/upstreams.ts";
import type { Strategy } from "../../../src/config/upstreams/types.ts";
import { parseIp } from "../../../src/net/ip.ts";
import { run } from "./fake_env.ts";

/** `a:up:3 b:down`. */
function statesOf(text: string): UpstreamState[] {
  return text.split(" ").map((one) => {
    const [name, state, connections] = one.split(":");
    return {
      name,
      state: state as UpstreamState["state"],
      reason: "",
      connections: connections === undefined ? null : Number(connections),
    };
  });
}

function choose(strategy: Strategy, text: string, client = "10.0.0.7") {
  const { member, why } = chooseMember({ group: "g", strategy }, statesOf(text), parseIp(client)!)!;
  return [member, why];
}

Deno.test("failover names the first that is up, unless nobody tells of one before it", () => {
  assert.deepEqual(choose("failover", "a:up:9 b:up:0"), ["a", "the first that is up"]);
  assert.deepEqual(choose("failover", "a:down b:refused c:up:0 d:up:0"), ["c", "the first that is up"]);
  assert.deepEqual(choose("failover", "a:down b:up:0"), ["b", "no other is up"]);
  assert.deepEqual(choose("failover", "a:up:0 b:unknown"), ["a", "the first that is up"]);
  assert.deepEqual(choose("failover", "a:down b:refused"), [null, "none is up"]);
  const doubt = "the first that is up; that is a, unless it is down: no proxy tells";
  assert.deepEqual(choose("failover", "a:unknown b:up:0"), [null, doubt]);
});

Deno.test("hash names the member that has the client, and the next where that is down", () => {
  const clients = Array.from({ length: 40 }, (_, last) => `10.0.0.${last}`);
  const of = (text: string) => clients.map((client) => choose("hash", text, client)[0]);
  const all = of("a:up:0 b:up:0 c:up:0");
  assert.deepEqual([...new Set(all)].toSorted(), ["a", "b", "c"]);
  const without = of("a:up:0 b:down c:up:0");
  all.forEach((member, index) => assert.ok(member === without[index] || member === "b"));
  assert.ok(!without.includes("b"));
  assert.deepEqual(of("a:up:0 b:unknown c:up:0"), all.map((member) => member === "b" ? null : member));
  assert.match(choose("hash", "a:unknown b:unknown")[1]!, /has this client's address.*that is [ab], unless/);
});

Deno.test("least-connections tells counts, and names a member only where there is one", () => {
  const why = "the one that is up with the fewest connections, which each flow changes; last told: ";
  assert.deepEqual(choose("least-connections", "a:up:3 b:down c:up:2"), [null, `${why}a 3, c 2`]);
  assert.deepEqual(choose("least-connections", "a:unknown b:unknown"), [null, `${why}a unknown, b unknown`]);
  assert.deepEqual(choose("least-connections", "a:down b:up:5"), ["b", "no other is up"]);
});

Deno.test("explain prints the choice of a group, and none for an upstream", async () => {
  const f = `
upstreams: { a: { type: socks5, address: "192.0.2.9:1" }, b: { type: socks5, address: "192.0.2.9:2" } }
groups: { g: { members: [a, b] } }
rules:
  - { name: alone, action: proxy, upstream: a, ports: [1] }
  - { name: grouped, action: proxy, upstream: g }
`;
  const ask = async (port: number, ...more: string[]) => {
    const flow = ["--rules-only", "--from", "10.0.0.7", "--to", `192.0.2.1:${port}`];
    return (await run(["explain", "-c", "f", ...flow, ...more], { files: { f } })).stdout;
  };
  const why = "the first that is up; that is a, unless it is down: no proxy tells";
  assert.ok(
    (await ask(2)).includes(
      `\nupstream: a, then b; when down: block\ntakes: cannot be told, of group g (failover): ${why}\n`,
    ),
  );
  assert.deepEqual(JSON.parse(await ask(2, "--json")).choice, {
    group: "g",
    strategy: "failover",
    member: null,
    why,
  });
  assert.ok(!(await ask(1)).includes("takes:"));
  assert.equal(JSON.parse(await ask(1, "--json")).choice, null);
});
