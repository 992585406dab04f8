/**
 * `upgradeFieldTest`: an administrator's rules, connections of clients through the proxy, and upgrades amid
 * them. Packets leave the router looking as before, and every byte comes.
 * @module
 */
import assert from "node:assert/strict";
import { Caller } from "../field/caller.ts";
import { type Field, type FieldCase, holdBack, inField, startFieldProxy } from "../field/field.ts";
import { Leaving, type Looks } from "../field/leaving.ts";
import { type AddressName, FIELD, type Place } from "../field/places.ts";
import { talk } from "../field/probes.ts";
import type { Lab } from "../lab.ts";
import { print } from "../machine/print.ts";
import { delay } from "../machine/wait.ts";
import { at } from "../network/udp_socket.ts";
import { endProxy } from "../proxy/router_proxy.ts";
import { labTest } from "../register.ts";
import { succeed } from "./successor.ts";
import { type RunningTransfers, startTransfers } from "./transfers.ts";
import { IP_TOS, IPV6_TCLASS, SOL_IP, SOL_IPV6 } from "../../../ffi/consts.ts";

const UPGRADES = 2;
const TRANSFERS = { count: 300, atOnce: 300, seconds: 10 };
const SILENCE_MS = 10_000;
const INNER = ["r0", "r4", "br-lan", "docker0"];
const EXPEDITED = 0xb8;

/** A way of clients through the router. */
export interface Road {
  readonly from?: Place;
  readonly family: 4 | 6;
  readonly to: AddressName;
  /** The host that answers there. */
  readonly host: Place;
  /** Its own address, if that is another one. */
  readonly own?: AddressName;
  readonly port: number;
  /** The address that it sees, as a probe says it. */
  readonly sees: string;
  /** Transfers go there too, to {@linkcode TRANSFERS}' port; default yes. */
  readonly bulk?: boolean;
}

/** Rules, and ways through them. */
export interface UpgradeCase extends Omit<FieldCase, "probes" | "look" | "later"> {
  readonly roads: readonly Road[];
}

/** The same road in both families. */
export function roads(road: Omit<Road, "family" | "sees">, sees: string | Record<4 | 6, string>): Road[] {
  return ([4, 6] as const).map((family) => ({
    ...road,
    family,
    sees: typeof sees === "string" ? sees : sees[family],
  }));
}

/** Registers a test. */
export function upgradeFieldTest(name: string, given: UpgradeCase): void {
  labTest(
    `connections go on through ${UPGRADES} upgrades: ${name}`,
    {
      ...given,
      forwarding: true,
      programs: ["cc", ...given.programs ?? []],
      netlinkOnly: "with kernel.backend iptables nothing is handed over",
    },
    (lab) => inField(lab, given, (field) => tryUpgrades(lab, field, given)),
  );
}

async function tryUpgrades(lab: Lab, field: Field, given: UpgradeCase): Promise<void> {
  let proxy = await startFieldProxy(field, given);
  await holdBack(lab, given.forwarded);
  const leaving = await Leaving.watch(lab.router, "tcp sport != 7001 tcp dport != 7001", INNER);
  using calls = new Calls(field, given.roads);
  await calls.begin();
  await delay(200);
  await leaving.take(); // of those that are idle from now on, too
  await calls.talk();
  const before = await leaving.take();
  assert.ok(before.size >= given.roads.length * 10, `${before.size} looks are too few`);
  const transfers = await beginTransfers(lab, field, given.roads);
  await delay(1500);
  const moved = [];
  for (let round = 0; round < UPGRADES; round++) {
    const next = await succeed(lab, proxy);
    await calls.talk();
    assert.equal(await proxy.program.waitForExit({ timeoutMs: 20_000 }), 0, proxy.log);
    moved.push(Number(/connections are handed over connections=(\d+)/.exec(proxy.log)?.[1]));
    proxy = next;
    await calls.talk();
    compare(before, await leaving.take(), `after upgrade ${round + 1}`);
  }
  const { length } = given.roads;
  for (const [round, number] of moved.entries()) {
    assert.ok(number >= length * (round === 0 ? 4 : 2), `${number} moved show little`);
  }
  await calls.wake();
  const counts = await Promise.all(transfers.map((one) => one.end(60_000)));
  print(JSON.stringify({ moved, bytes: counts.map(({ client }) => client.bytes) }));
  for (const { client, server } of counts) {
    for (const { done, failed } of [client, server]) {
      assert.deepEqual({ done, failed }, { done: TRANSFERS.count, failed: 0 });
    }
  }
  await endProxy(proxy);
}

async function beginTransfers(
  lab: Lab,
  { places }: Field,
  roads: readonly Road[],
): Promise<RunningTransfers[]> {
  const transfers = [];
  for (const { from = "client", family, to, host, own = to, bulk = true } of roads) {
    if (!bulk) continue;
    const [dialled, address] = [FIELD[to][family], FIELD[own][family]];
    const way = { from: places[from], host: places[host], address, dialled };
    transfers.push(await startTransfers(lab, { ...TRANSFERS, way }));
  }
  return transfers;
}

/** Every look that was there is there, and is the same. */
function compare(before: Looks, after: Looks, when: string): void {
  const changed = [...before].filter(([key, value]) => after.get(key) !== value)
    .map(([key, value]) => `${key}: ${value} became ${after.get(key)}`);
  assert.deepEqual(changed, [], when);
}

/** Two connections on each road: one that talks, and says its DSCP, and one that is idle until the end. */
class Calls implements Disposable {
  readonly #field: Field;
  readonly #roads: readonly Road[];
  readonly #talkers: Caller[] = [];
  readonly #idlers: Caller[] = [];

  constructor(field: Field, roads: readonly Road[]) {
    this.#field = field;
    this.#roads = roads;
  }

  async begin(): Promise<void> {
    for (const { from = "client", family, to, port, sees } of this.#roads) {
      for (const list of [this.#talkers, this.#idlers]) {
        const options = list === this.#talkers ? [expedited(family)] : [];
        const caller = new Caller(this.#field.places[from], at(FIELD[to][family], port), { options });
        list.push(caller);
        assert.equal(
          (await talk(caller, SILENCE_MS)).replace(", another port", ""),
          sees,
          `IPv${family}, ${from} to ${to}`,
        );
      }
    }
  }

  /** The talkers have something echoed, small and large. */
  async talk(): Promise<void> {
    for (const [i, caller] of this.#talkers.entries()) {
      for (const size of [5, 20_000, 5]) {
        await echo(caller, size, `talker on ${JSON.stringify(this.#roads[i])}`);
      }
    }
  }

  async wake(): Promise<void> {
    for (const [i, caller] of this.#idlers.entries()) {
      await echo(caller, 1000, `idle one on ${JSON.stringify(this.#roads[i])}`);
    }
  }

  [Symbol.dispose](): void {
    for (const caller of [...this.#talkers, ...this.#idlers]) caller.close();
  }
}

function expedited(family: 4 | 6): readonly [number, number, number] {
  return family === 4 ? [SOL_IP, IP_TOS, EXPEDITED] : [SOL_IPV6, IPV6_TCLASS, EXPEDITED];
}

async function echo(caller: Caller, size: number, who: string): Promise<void> {
  const text = crypto.randomUUID().repeat(Math.ceil(size / 36)).slice(0, size);
  assert.equal(caller.send(text), size, who);
  const back = await caller.read(new RegExp(`^[^]{${size}}`), SILENCE_MS);
  assert.equal(back, text, who);
  await delay(20); // the acknowledgement has a look too
}
