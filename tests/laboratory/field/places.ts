/**
 * The field: a router as people have it, with everything around it that their rules speak of.
 *
 * ```
 *   client ── r0 ┐            ┌ r1 ── server    the default way out
 *    guest ── r4 ┤   router   ├ r3 ── other     a second way out
 *  private ── r2 ┘            ┘
 * ```
 * `server` and `other` both hold the address "anycast": who answers tells which way out was taken.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import type { Namespace } from "../namespace.ts";

/** The hosts beside the router. */
export const PLACES = ["client", "guest", "private", "server", "other"] as const;

/** A host beside the router. */
export type Place = typeof PLACES[number];

/** Addresses by name: the hosts', the router's own (`lan`, `wan`, `wan2`, …) and "anycast". */
export const FIELD = {
  client: { 4: ADDRESSES[4].client, 6: ADDRESSES[6].client },
  lan: { 4: ADDRESSES[4].lan, 6: ADDRESSES[6].lan },
  server: { 4: ADDRESSES[4].server, 6: ADDRESSES[6].server },
  wan: { 4: ADDRESSES[4].wan, 6: ADDRESSES[6].wan },
  private: { 4: "192.168.5.10", 6: "fd77:5::10" },
  dmz: { 4: "192.168.5.1", 6: "fd77:5::1" },
  other: { 4: "198.18.0.2", 6: "2001:db8:78::2" },
  wan2: { 4: "198.18.0.1", 6: "2001:db8:78::1" },
  guest: { 4: "10.77.4.2", 6: "fd77:4::2" },
  guests: { 4: "10.77.4.1", 6: "fd77:4::1" },
  anycast: { 4: "192.0.2.9", 6: "2001:db8:99::9" },
  /** Beyond both ways out, and answered by nobody. */
  nowhere: { 4: "192.0.2.66", 6: "2001:db8:99::66" },
} as const;

/** A name of {@linkcode FIELD}. */
export type AddressName = keyof typeof FIELD;

/** The hosts, by name. */
export type Places = Readonly<Record<Place, Namespace>>;

/** Adds what the plain laboratory lacks. */
export async function addPlaces(lab: Lab): Promise<Places> {
  const { client, router, server } = lab;
  const [priv, guest, other] = await Promise.all([
    addHost(lab, { place: "private", link: "r2", router: "dmz" }),
    addHost(lab, { place: "guest", link: "r4", router: "guests" }),
    addHost(lab, { place: "other", link: "r3", router: "wan2" }),
  ]);
  for (const host of [server, other]) {
    await host.ip(`
      addr add ${FIELD.anycast[4]}/32 dev lo
      addr add ${FIELD.anycast[6]}/128 dev lo nodad`);
  }
  // Each refusal is told, however many there are.
  const talkative = { "net.ipv4.icmp_ratelimit": 0, "net.ipv6.icmp.ratelimit": 0 };
  await Promise.all([router, server, other].map((host) => host.writeSysctl(talkative)));
  await router.ip(`
    route add default via ${FIELD.server[4]}
    route add default via ${FIELD.server[6]}`);
  return { client, server, private: priv, guest, other };
}

async function addHost(
  lab: Lab,
  { place, link, router }: { place: Place; link: string; router: AddressName },
): Promise<Namespace> {
  const host = await lab.addNamespace(place);
  const far = `${place}0`;
  await host.writeSysctl({ "net.ipv6.conf.all.accept_dad": 0, "net.ipv6.conf.default.accept_dad": 0 });
  await lab.router.ip(`
    link add ${link} type veth peer name ${far} netns ${host.name}
    addr add ${FIELD[router][4]}/24 dev ${link}
    addr add ${FIELD[router][6]}/64 dev ${link} nodad
    link set ${link} up`);
  await host.ip(`
    addr add ${FIELD[place][4]}/24 dev ${far}
    addr add ${FIELD[place][6]}/64 dev ${far} nodad
    link set ${far} up
    route add default via ${FIELD[router][4]}
    route add default via ${FIELD[router][6]}`);
  return host;
}

/** Names an address of the field, or gives the address itself. */
export function nameOf(address: string): string {
  const found = Object.entries(FIELD).find(([, families]) =>
    families[4] === address || families[6] === address
  );
  return found?.[0] ?? address;
}
