/**
 * `fieldTest`: an administrator's rules, and what hosts try, first without a proxy and then through it. The
 * outcome is the same.
 * @module
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { type Lab, type LabOptions, openLab } from "../lab.ts";
import type { Namespace } from "../namespace.ts";
import { print } from "../machine/print.ts";
import { snapshotKernel, withoutCounts } from "../network/snapshot.ts";
import { type ConfigText, type Proxy, startProxy, tproxy } from "../proxy/proxy.ts";
import { endProxy } from "../proxy/router_proxy.ts";
import { labTest, type LabTestOptions } from "../register.ts";
import { Peer, PORTS, type ServeOptions } from "./peers.ts";
import { addPlaces, PLACES, type Places } from "./places.ts";
import type { Probe } from "./probes.ts";

/** A probe through the proxy may take so much longer. */
const SLOWER_MS = 1_500;

/** The hosts, and what stands in them. */
export interface Field {
  readonly lab: Lab;
  readonly places: Places;
  /** Puts services into a namespace, the router too; they end with the field. */
  serve(name: string, namespace: Namespace, ports: readonly number[], options?: ServeOptions): Peer;
}

/** Rules and tries. */
export interface FieldCase extends LabTestOptions {
  /** The administrator's commands on the router, before tproxy is there. */
  readonly router?: string;
  /** Further work, before the router's commands. */
  readonly before?: (field: Field) => Promise<unknown>;
  /** Commands on the router once tproxy runs. */
  readonly later?: string;
  readonly config?: ConfigText;
  /** Flows that need no proxy, in words of nft: `tcp dport 21`. All others of clients are held back. */
  readonly forwarded?: string;
  readonly probes: readonly Probe[];
  /** Reason why it is not as without tproxy, also in the README's limits. It must then really differ. */
  readonly different?: string;
  /** Further looks, with the same outcome in both runs. */
  readonly look?: (field: Field) => Promise<unknown>;
  /** Asserts what is true only of the run through the proxy, after its tries. */
  readonly through?: (field: Field) => Promise<void>;
}

/** Registers a test that tries without tproxy, and then with it. */
export function fieldTest(name: string, given: FieldCase): void {
  // Its own guard comes once the proxy runs.
  labTest(`as without tproxy: ${name}`, { ...given, forwarding: true }, async (lab) => {
    const without = await tryWithout(given);
    for (const [index, { name, expected }] of given.probes.entries()) {
      assert.equal(without.outcomes[index].words, expected, `without tproxy: ${name}`);
    }
    const through = await inField(lab, given, (field) => tryThrough(field, given));
    assert.ok(through.passed > 0, "nothing has passed the proxy");
    const differences = given.probes.flatMap((probe, index) => differ(probe, without, through, index));
    if (given.different === undefined) {
      assert.deepEqual(differences, [], `${name}: not as without tproxy`);
      assert.deepEqual(through.looked, without.looked, "not as without tproxy");
    } else {
      print(`known difference: ${name}: ${given.different}`);
      const same = differences.length === 0 && isDeepStrictEqual(through.looked, without.looked);
      assert.ok(!same, "as without tproxy now: it is no difference any more");
    }
  });
}

interface Tried {
  readonly outcomes: readonly { readonly words: string; readonly ms: number }[];
  readonly looked: unknown;
  /** Connections and sessions that the proxy counts. */
  readonly passed: number;
}

function differ(probe: Probe, without: Tried, through: Tried, index: number): string[] {
  const [before, after] = [without.outcomes[index], through.outcomes[index]];
  if (before.words !== after.words) return [`${probe.name}: "${before.words}" became "${after.words}"`];
  if (after.ms <= before.ms + SLOWER_MS) return [];
  return [`${probe.name}: ${before.ms.toFixed(0)} ms became ${after.ms.toFixed(0)} ms`];
}

async function tryWithout(given: FieldCase): Promise<Tried> {
  const lab = await openLab({ ...labOptions(given), forwarding: true });
  try {
    return await inField(lab, given, async (field) => {
      await administer(lab, given.later);
      return await tryAll(field, given);
    });
  } catch (error) {
    print(lab.transcript.join("\n"));
    throw error;
  } finally {
    await lab.close();
  }
}

async function tryThrough(field: Field, given: FieldCase): Promise<Tried> {
  const { lab } = field;
  const before = await snapshotKernel(lab.router);
  const proxy = await startFieldProxy(field, given);
  await administer(lab, given.later);
  await holdBack(lab, given.forwarded);
  const tried = await tryAll(field, given);
  await given.through?.(field);
  const counts = await endProxy(proxy);
  await tproxy(lab, ["uninstall"]);
  if (given.later === undefined) {
    await lab.router.run(["nft", "delete", "table", "inet", "field_guard"]);
    assert.equal(comparable(await snapshotKernel(lab.router)), comparable(before), "left behind");
  }
  return { ...tried, passed: counts.accepted + (counts["udp-sessions"] ?? 0) };
}

/** `tproxy install` and `run` on the field's router: TCP and UDP of client and guest. */
export function startFieldProxy({ lab }: Field, given: Pick<FieldCase, "config"> = {}): Promise<Proxy> {
  const { intercept, ...rest } = given.config ?? {};
  return startProxy(lab, {
    config: {
      ...rest,
      intercept: {
        interfaces: ["r0", "r4"],
        protocols: ["tcp", "udp"],
        ...intercept as ConfigText | undefined,
      },
    },
  });
}

/** From here on clients' new flows leave the router through the proxy alone. */
async function holdBack(lab: Lab, forwarded: string | undefined): Promise<void> {
  await lab.router.nft(`table inet field_guard {
    chain leaving {
      type filter hook postrouting priority 350; policy accept;
      ct state established,related accept
      ${forwarded === undefined ? "" : `${forwarded} accept`}
      iifname { "r0", "r4", "br-lan", "docker0" } meta l4proto { tcp, udp } counter drop
    }
  }`);
}

async function tryAll(field: Field, given: FieldCase): Promise<Tried> {
  const outcomes = [];
  for (const probe of given.probes) {
    const start = performance.now();
    const words = await probe.run(field.places);
    outcomes.push({ words, ms: performance.now() - start });
  }
  return { outcomes, looked: await given.look?.(field), passed: 0 };
}

/** Makes the field of a laboratory, with the administrator's work done. */
export async function inField<T>(
  lab: Lab,
  given: Pick<FieldCase, "before" | "router">,
  work: (field: Field) => Promise<T>,
): Promise<T> {
  const places = await addPlaces(lab);
  const peers: Peer[] = [];
  const serve: Field["serve"] = (name, namespace, ports, options) => {
    const peer = new Peer(name, namespace, { ports, ...options });
    peers.push(peer);
    return peer;
  };
  try {
    for (const name of PLACES) serve(name, places[name], PORTS);
    const field = { lab, places, serve };
    await given.before?.(field);
    await administer(lab, given.router);
    return await work(field);
  } finally {
    for (const peer of peers) peer.close();
  }
}

/** Runs commands on the router; `$server`, `$other`, … are the hosts' namespaces, for `ip -n`. */
async function administer(lab: Lab, commands: string | undefined): Promise<void> {
  if (commands === undefined) return;
  const names = lab.namespaces.map(({ name }) => [name.slice(name.lastIndexOf("-") + 1), name]);
  await lab.router.run(["sh", "-ec", commands], { env: Object.fromEntries(names) });
}

function labOptions({ masquerade, tailscaleSysctls }: LabOptions): LabOptions {
  return {
    ...masquerade === undefined ? {} : { masquerade },
    ...tailscaleSysctls === undefined ? {} : { tailscaleSysctls },
  };
}

/** Leaves out counters, and routes that the kernel makes itself, a second after a bridge has come up. */
function comparable(text: string): string {
  return withoutCounts(text).replace(/^multicast ff00::\/8 dev .*\n/gm, "");
}
