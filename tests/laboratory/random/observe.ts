/**
 * Packets that the hosts' kernels have seen, and the router's conntrack, as lines.
 * @module
 */
import { nameOf, type Places } from "../field/places.ts";
import type { Namespace } from "../namespace.ts";

const SETS = {
  syn4: "ip saddr . ip daddr . tcp dport . ip dscp",
  syn6: "ip6 saddr . ip6 daddr . tcp dport . ip6 dscp",
  packet4: "ip saddr . ip daddr . meta l4proto . th dport . ip dscp",
  packet6: "ip6 saddr . ip6 daddr . meta l4proto . th dport . ip6 dscp",
  mss4: "tcp option maxseg size",
  icmp4: "ip saddr . icmp type . icmp code",
  icmp6: "ip6 saddr . icmpv6 type . icmpv6 code",
} as const;

const MATCHES: Readonly<Record<keyof typeof SETS, string>> = {
  syn4: "tcp flags & (syn | ack) == syn",
  syn6: "tcp flags & (syn | ack) == syn",
  packet4: "ip frag-off & 0x1fff == 0 meta l4proto udp",
  packet6: "exthdr frag missing meta l4proto udp",
  mss4: "tcp flags & (syn | ack) == syn",
  icmp4: "icmp type { destination-unreachable, time-exceeded, parameter-problem, redirect }",
  icmp6: "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem }",
};

/** Collects what comes in. */
export async function watchHost(host: Namespace): Promise<void> {
  const names = Object.keys(SETS) as (keyof typeof SETS)[];
  const sets = names.map((name) => `  set ${name} { typeof ${SETS[name]}; flags dynamic; size 4096; }\n`);
  const rules = names.map((name) => `    ${MATCHES[name]} add @${name} { ${SETS[name]} }\n`);
  await host.nft(`table inet watched {
${sets.join("")}  chain incoming {
    type filter hook prerouting priority -290;
    iif lo accept
${rules.join("")}  }
}`);
}

/** The lines of all hosts by subject. */
export async function readWatches(places: Places): Promise<Record<string, string[]>> {
  const lists: Record<string, string[]> = { syn: [], packet: [], mss: [], icmp: [] };
  await Promise.all(
    Object.entries(places).map(async ([place, host]) => {
      const { stdout } = await host.run(["nft", "-j", "-n", "list", "table", "inet", "watched"]);
      for (const { set } of JSON.parse(stdout).nftables) {
        if (set === undefined) continue;
        for (const element of set.elem ?? []) lists[set.name.slice(0, -1)].push(lineOf(place, element));
      }
    }),
  );
  for (const list of Object.values(lists)) list.sort();
  return lists;
}

type Element = number | {
  readonly elem?: { readonly val: Element };
  readonly concat?: readonly (string | number)[];
};

function lineOf(place: string, element: Element): string {
  if (typeof element === "number") return `${place}: ${element}`;
  if (element.elem !== undefined) return lineOf(place, element.elem.val);
  const concat = element.concat ?? [];
  return `${place}: ${concat.map((each) => typeof each === "string" ? nameOf(each) : each).join(" ")}`;
}

/** The router's flows outside the proxy's own zone: the tuple of the answers, mark. */
export async function readConntrack(router: Namespace): Promise<string[]> {
  const lists = await Promise.all(
    ["ipv4", "ipv6"].map((family) => router.run(["conntrack", "-L", "-f", family], { mayFail: true })),
  );
  const lines = lists.flatMap(({ stdout }) => stdout.split("\n"));
  return lines.filter((line) => /^(tcp|udp)\b/.test(line) && !line.includes(" zone=")).map((line) => {
    const reply = [...line.matchAll(/(src|dst|sport|dport)=(\S+)/g)].slice(4).map(([, , value]) =>
      nameOf(value)
    );
    return `${line.slice(0, 3)} ${reply.join(" ")} mark ${/mark=(\d+)/.exec(line)?.[1] ?? 0}`;
  }).sort();
}
