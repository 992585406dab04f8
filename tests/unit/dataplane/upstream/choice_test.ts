/** The member of a group that a flow is led to. */
import assert from "node:assert/strict";
import { makeSockaddr, writeSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import type { Strategy } from "../../../../src/config/upstreams/types.ts";
import { MemberChoice, NO_MEMBER } from "../../../../src/dataplane/upstream/choice.ts";
import { DOWN, REFUSED, UP, UpstreamHealth } from "../../../../src/dataplane/upstream/health.ts";
import { parseEndpoint } from "../../../../src/net/ip.ts";

function sockaddr(text: string) {
  const address = makeSockaddr();
  writeSockaddr(address, parseEndpoint(text)!);
  return address;
}

const CLIENT = sockaddr("10.0.0.7:1000");
const FORWARD = { type: "forward", header: null, source: "router" } as const;
const NAMES = ["a", "b", "c", "d"];

function groupOf(strategy: Strategy, names = NAMES) {
  const health = new UpstreamHealth(2);
  const members = names.map((name) => ({
    name,
    place: NAMES.indexOf(name),
    addresses: [sockaddr("192.0.2.1:1080")],
    protocol: FORWARD,
  }));
  return { health, choice: new MemberChoice(health, members, strategy) };
}

Deno.test("failover takes the first that is up and was not tried", () => {
  const { health, choice } = groupOf("failover");
  assert.equal(choice.choose(CLIENT, 0), 0);
  assert.equal(choice.choose(CLIENT, 0b1), 1);
  health.setState(0, DOWN);
  health.setState(1, REFUSED);
  assert.equal(choice.choose(CLIENT, 0), 2);
  assert.equal(choice.left(0b100), 1);
  health.setState(2, DOWN);
  health.setState(3, DOWN);
  assert.equal(choice.choose(CLIENT, 0), NO_MEMBER);
  health.setState(0, UP);
  assert.equal(choice.choose(CLIENT, 0), 0);
});

Deno.test("One whose name is not resolved is not taken", () => {
  const health = new UpstreamHealth(1);
  const member = { name: "a", place: 0, addresses: [], protocol: FORWARD };
  assert.equal(new MemberChoice(health, [member], "failover").choose(CLIENT, 0), NO_MEMBER);
});

Deno.test("least-connections counts those of all workers, and takes the first among equals", () => {
  const { health, choice } = groupOf("least-connections");
  const workers = [new UpstreamHealth(health.buffer, 0), new UpstreamHealth(health.buffer, 1)];
  const taken: number[] = [];
  for (let i = 0; i < 10; i++) {
    const member = choice.choose(CLIENT, 0);
    workers[i % 2].addConnections(member, 1);
    taken.push(member);
  }
  assert.deepEqual(taken, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]);
  health.forgetWorker(0); // had 0, 2, 0, 2, 0
  assert.deepEqual([0, 1, 2, 3].map((place) => health.connections(place)), [0, 3, 0, 2]);
  assert.equal(choice.choose(CLIENT, 0), 0);
});

Deno.test("hash keeps a client's member, spreads clients, and moves only those of one that is down", () => {
  const { health, choice } = groupOf("hash");
  const clients = Array.from(
    { length: 4000 },
    (_, i) => sockaddr(i % 2 === 0 ? `10.0.${i >> 8}.${i & 255}:${i}` : `[2001:db8::${i.toString(16)}]:80`),
  );
  const before = clients.map((client) => choice.choose(client, 0));
  const counts = NAMES.map((_, member) => before.filter((taken) => taken === member).length);
  for (const count of counts) assert.ok(count > 850 && count < 1150, counts.join(" "));
  // Another port, another order of the members.
  const other = groupOf("hash", ["d", "c", "b", "a"]).choice;
  clients.forEach((client, i) => {
    client[2] ^= 0xff;
    assert.equal(3 - other.choose(client, 0), before[i]);
  });
  health.setState(2, DOWN);
  clients.forEach((client, i) => {
    const now = choice.choose(client, 0);
    if (before[i] === 2) assert.notEqual(now, 2);
    else assert.equal(now, before[i]);
  });
});

Deno.test("An upstream is down after `fall` faults in a row, and one that refuses us at once", () => {
  const health = new UpstreamHealth(1);
  for (const state of [UP, UP]) {
    health.failed(3, 111, 3);
    assert.equal(health.state(3), state);
  }
  health.worked(3);
  health.failed(3, 111, 3);
  health.failed(3, 111, 3);
  assert.equal(health.state(3), UP);
  health.failed(3, 110, 3);
  assert.equal(health.state(3), DOWN);
  assert.equal(health.lastError(3), 110);
  health.refused(3);
  assert.equal(health.state(3), DOWN);
  health.setState(3, UP);
  health.refused(3);
  assert.equal(health.state(3), REFUSED);
  assert.equal(health.state(2), UP, "nothing is known of others");
});

Deno.test("Upstreams know when they were used, from the machine's first second on", () => {
  const health = new UpstreamHealth(1);
  assert.equal(health.lastUse(2), -Infinity);
  health.used(2, 1);
  assert.equal(health.lastUse(2), 1);
  assert.ok(health.mayTell(2, 1));
  assert.ok(!health.mayTell(2, 2));
  const time = 10 * 365 * 86_400_000;
  health.used(3, time);
  assert.equal(health.lastUse(3), time / 1000);
  assert.ok(health.mayTell(3, time));
  assert.ok(!health.mayTell(3, time + 59_000));
  assert.ok(health.mayTell(3, time + 60_000));
});
