/** The page shows what the live screen of the terminal shows: both have the same reckoning. */
import assert from "node:assert/strict";
import { formatDestination } from "../../../../../src/cli/connections/table.ts";
import { formatAge, formatAmount } from "../../../../../src/cli/watch/amount.ts";
import { CalmOrder } from "../../../../../src/cli/watch/order.ts";
import { flowOf } from "../../../../../src/cli/watch/proxy.ts";
import { makeSafe } from "../../../../../src/cli/watch/text.ts";
import { type FlowTraffic, matches, Traffic } from "../../../../../src/cli/watch/traffic.ts";
import { describeBriefly, isSettled } from "../../../../../src/daemon/control/connections/brief.ts";
import type { ConnectionRow } from "../../../../../src/daemon/control/connections/row.ts";
import * as pageOrder from "../../../../../src/daemon/control/page/order.js";
import * as pageTraffic from "../../../../../src/daemon/control/page/traffic.js";
import * as pageWords from "../../../../../src/daemon/control/page/words.js";
import { OPEN } from "../../../../../src/dataplane/tcp/stage_numbers.ts";

/** Numbers that look like chance, and are the same each time. */
function chances(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
}

Deno.test("the page words amounts, ages, places and dangerous names as the terminal does", () => {
  const chance = chances(1);
  for (let i = 0; i < 2000; i++) {
    const value = chance() ** 8 * 1e16;
    for (const inBits of [false, true]) {
      assert.equal(pageWords.formatAmount(value, inBits), formatAmount(value, inBits));
    }
    assert.equal(pageWords.formatAge(value / 1e4), formatAge(value / 1e4));
  }
  const text = Array.from({ length: 0x3100 }, (_, code) => String.fromCharCode(code)).join("");
  assert.equal(pageWords.makeSafe(text), makeSafe(text));
  const places = [
    { name: "a.example", destination: "203.0.113.9", destinationPort: 443 },
    { name: null, destination: "2001:db8::7", destinationPort: 53 },
    { name: null, destination: "203.0.113.9", destinationPort: 80 },
    { name: "a.example", destination: null, destinationPort: null },
    { name: null, destination: null, destinationPort: null },
  ];
  for (const place of places) assert.equal(pageWords.formatDestination(place), formatDestination(place));
});

Deno.test("rows of the page keep their places as those of the terminal do", () => {
  const chance = chances(2);
  const [terminal, page] = [new CalmOrder(), new pageOrder.CalmOrder()];
  const values = new Map<string, number>();
  for (let look = 0; look < 400; look++) {
    for (let i = 0; i < 30; i++) {
      const key = `k${i}`;
      if (!values.has(key) && chance() < 0.3) values.set(key, Math.floor(chance() * 50));
      else if (chance() < 0.02) values.delete(key);
      else if (values.has(key) && chance() < 0.2) values.set(key, Math.floor(chance() * 50));
    }
    assert.deepEqual(page.arrange(values), terminal.arrange(values), `look ${look}`);
  }
});

Deno.test("twenty thousand rows that come at once find their places in a moment", () => {
  for (const order of [new CalmOrder(), new pageOrder.CalmOrder()]) {
    const values = new Map(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, (i * 7919) % 20_000]));
    const began = performance.now();
    const [first, second] = order.arrange(values).map((key) => values.get(key));
    assert.deepEqual([first, second], [19_999, 19_998]);
    const took = performance.now() - began;
    assert.ok(took < 5000, `${took} ms`);
  }
});

/** A connection whose bytes, state and name change. */
function row(id: string, started: number, more: Partial<ConnectionRow> = {}): ConnectionRow {
  return {
    id,
    protocol: "tcp",
    family: "ipv4",
    client: "192.168.1.23",
    clientPort: 1,
    device: null,
    mac: null,
    destination: "203.0.113.9",
    destinationPort: 443,
    name: null,
    rule: null,
    upstream: null,
    state: "dialling",
    bytesUp: 0,
    bytesDown: 0,
    started: new Date(started).toISOString(),
    ...more,
  };
}

type Lived = { -readonly [Key in keyof ConnectionRow]: ConnectionRow[Key] };

Deno.test("the page reckons rates, groups and ends as the terminal does, from rows in brief too", () => {
  const chance = chances(3);
  const terminal = new Traffic();
  const page = new pageTraffic.Traffic();
  const live: Lived[] = [];
  let count = 0;
  let isWhole = false;
  let briefs = 0;
  for (let look = 0; look < 300; look++) {
    const now = 1_700_000_000_000 + look * 1000;
    for (let i = 0; i < 3; i++) {
      if (chance() < 0.4) {
        live.push(row(`t0.${++count}.1`, now - Math.floor(chance() * 800), {
          device: chance() < 0.7 ? `device-${Math.floor(chance() * 5)}` : null,
          name: chance() < 0.5 ? `host${count}.example` : null,
          family: chance() < 0.2 ? "ipv6" : "ipv4",
          rule: chance() < 0.5 ? "work" : null,
        }));
      }
    }
    for (const one of live) {
      if (one.state === "dialling" && chance() < 0.3) {
        Object.assign(one, { state: "open", upstream: "office" });
      }
      if (one.state === "open" && chance() < 0.5) one.bytesDown += Math.floor(chance() ** 4 * 1e6);
      if (one.state === "open" && chance() < 0.5) one.bytesUp += Math.floor(chance() ** 4 * 1e4);
    }
    for (let i = live.length - 1; i >= 0; i--) if (chance() < 0.02) live.splice(i, 1);
    terminal.look(live.map((one) => flowOf({ ...one })), now);
    const told = live.map((one) => {
      const [slot] = one.id.split(".").slice(1);
      const session = { worker: 0, protocol: "tcp", slot: Number(slot), tag: 1 } as const;
      const stage = one.state === "open" ? OPEN : 0;
      const settled = isWhole &&
        isSettled({ protocol: "tcp", stage, started: Date.parse(one.started) }, now, 15_000);
      if (settled) briefs++;
      return settled
        ? describeBriefly({ ...session, bytesUp: one.bytesUp, bytesDown: one.bytesDown } as never)
        : { ...one };
    });
    isWhole = page.look(told, now);
    compare(terminal, page);
    if (!isWhole) continue; // words of a connection that has been told in brief too early follow at once
    for (const filter of ["device-1", "work direct", "host1 open", "tcp6"]) {
      const found = terminal.flows().filter(({ flow }) => matches(flow, filter)).map(({ flow }) => flow.id);
      const own = [...page.flows.values()].filter((flow) => pageTraffic.matches(flow, filter));
      assert.deepEqual(own.map(({ id }) => id), found, filter);
    }
  }
  assert.ok(briefs > 1000, `${briefs} in brief`);
});

function compare(terminal: Traffic, page: InstanceType<typeof pageTraffic.Traffic>): void {
  const rounded = (value: number) => Math.round(value * 1e6) / 1e6;
  const flow = (
    { flow, down, up, average, ended }: FlowTraffic,
  ) => [
    flow.id,
    flow.device,
    flow.rule,
    flow.bytesDown + flow.bytesUp,
    flow.started,
    ...[down, up, average].map(rounded),
    ended,
  ];
  assert.deepEqual(
    [...page.flows.values()].map((
      one,
    ) => [
      one.id,
      one.device,
      one.rule,
      one.bytesDown + one.bytesUp,
      one.started,
      ...[one.down, one.up, one.average].map(rounded),
      one.ended,
    ]),
    terminal.flows().map(flow),
  );
  for (const list of ["devices", "rules"] as const) {
    assert.deepEqual(
      [...page[list].values()].map((group) => ({
        name: group.name,
        address: group.address,
        addresses: group.addresses.size,
        flows: group.flows,
        total: group.total,
        top: group.top,
        rates: [group.down, group.up, group.average, ...group.history].map(rounded),
      })),
      terminal[list]().map(({ name, address, addresses, flows, total, top, down, up, average, history }) => ({
        name,
        address,
        addresses,
        flows,
        total,
        top,
        rates: [down, up, average, ...history].map(rounded),
      })),
    );
  }
}

Deno.test("what the page does not know in brief it says, and asks for", () => {
  const page = new pageTraffic.Traffic();
  const started = 1_700_000_000_000;
  assert.equal(page.look([row("t0.1.1", started)], started + 1000), true);
  // It was dialling when it was seen last: what else has changed is not told in brief.
  assert.equal(page.look([["t0.1.1", 5, 7]], started + 20_000), false);
  assert.equal(page.look([row("t0.1.1", started, { state: "open" })], started + 21_000), true);
  assert.equal(page.look([["t0.1.1", 5, 7]], started + 22_000), true);
  assert.deepEqual([page.up, page.down], [5, 7]);
  assert.equal(page.look([["t0.1.1", 5, 7], ["t0.2.1", 1, 1]], started + 23_000), false);
  assert.equal(page.flows.size, 1);
});
