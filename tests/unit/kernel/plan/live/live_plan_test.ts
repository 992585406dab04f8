import assert from "node:assert/strict";
import { parseConfig } from "../../../../../src/config/load.ts";
import { questionBits, questionShare, UNSENT_TTL, VERDICT_TTL } from "../../../../../src/constants.ts";
import { compileLive } from "../../../../../src/kernel/nft/chains.ts";
import { renderHook } from "../../../../../src/kernel/nft/render.ts";
import { renderRule } from "../../../../../src/kernel/nft/rule_text.ts";
import { type LivePlan, planLive } from "../../../../../src/kernel/plan/live/live_plan.ts";
import { LIVE_OPTIONS, type LiveOptions } from "../../../../../src/kernel/plan/live/options.ts";
import { planInstall } from "../../../../../src/kernel/plan/plan.ts";
import type { NetworkView } from "../../../../../src/kernel/plan/view.ts";
import { ROUTER } from "../../support/view.ts";

function live(yaml: string, options: Partial<LiveOptions> = {}, view: NetworkView = ROUTER): LivePlan {
  return planLive(planInstall(parseConfig(yaml, "f"), view).intent.scope, { ...LIVE_OPTIONS, ...options });
}

function chain(plan: LivePlan, name: string): string[] | undefined {
  return compileLive(plan).chains.find((chain) => chain.name === name)?.rules
    .map(({ statements }) => renderRule(statements));
}

const ONE = "intercept: { families: [ipv4], protocols: [tcp] }";
const FLOW = "ip saddr . th sport . ip daddr . th dport";
const ON = "meta mark set meta mark & 0xfffffffb accept";

Deno.test("planLive() belongs to its process, and stands right behind divert and at the end of the way", () => {
  const { flags, name, chains } = compileLive(live("intercept: { router-traffic: true }"));
  assert.deepEqual([name, flags], ["transparent_proxy_live", ["owner"]]);
  assert.deepEqual(chains.flatMap(({ name, hook }) => hook ? [`${name}: ${renderHook(hook)}`] : []), [
    "steer: type filter hook prerouting priority -309; policy accept;",
    "ask: type filter hook postrouting priority 300; policy accept;",
    "router_steer: type route hook output priority -159; policy accept;",
    "to_clients: type filter hook output priority raw; policy accept;",
    "sent: type route hook output priority -199; policy accept;",
    "keep_incoming: type nat hook prerouting priority -110; policy accept;",
    "keep_outgoing: type nat hook output priority -110; policy accept;",
    "keep_source: type nat hook postrouting priority 90; policy accept;",
    "keep_route: type route hook output priority 290; policy accept;",
  ]);
});

Deno.test("planLive() takes what asks: it goes on and is remembered; signed segments are forwarded", () => {
  // Packets of connections that are there cost two questions.
  assert.deepEqual(chain(live(ONE), "steer"), [
    "meta mark & 0x4 == 0x4 goto asks",
    'iifname "lo" ct zone 50080 goto injected',
  ]);
  assert.deepEqual(chain(live(ONE), "asks"), [
    'iifname != "br-lan" return',
    `meta l4proto tcp tcp option 19 exists counter ${ON}`,
    `meta l4proto tcp tcp option 29 exists counter ${ON}`,
    `meta nfproto ipv4 meta l4proto tcp update @asking_ipv4 { ${FLOW} } ${ON}`,
  ]);
});

Deno.test("planLive() gives known datagrams to the listener, but for bridges that netfilter sees through", () => {
  const yaml = "intercept: { families: [ipv4], protocols: [udp] }";
  const known = `meta nfproto ipv4 meta l4proto udp ${FLOW} @known_ipv4`;
  const given = `tproxy ip to 127.0.0.1:50080 ct zone set 50080 ${ON}`;
  assert.equal(chain(live(yaml), "asks")![1], `${known} ${given}`);
  const bridged = live(yaml, {}, { ...ROUTER, filteredBridges: ["br-lan", "br-other"] });
  assert.equal(chain(bridged, "asks")![1], `iifname != "br-lan" ${known} ${given}`);
  const { sets } = compileLive(live(yaml, { udpKnownSeconds: 3 }));
  assert.deepEqual(sets.map(({ name, ...set }) => [name, "timeoutSeconds" in set && set.timeoutSeconds]), [
    ["known_ipv4", 3],
    ["asking_ipv4", 5],
  ]);
});

Deno.test("planLive() asks at the end: not from client to client, not where a helper reads along", () => {
  const original =
    "ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst";
  assert.deepEqual(chain(live(ONE), "ask"), [
    "tcp flags != syn / fin,syn,rst,ack return",
    'iifname != "br-lan" return',
    `meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack ${original} @asking_ipv4 goto question`,
    `ct state untracked meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack ${FLOW} @asking_ipv4 goto question`,
  ]);
  assert.deepEqual(chain(live(ONE), "question"), [
    `meta nfproto ipv4 meta l4proto tcp delete @asking_ipv4 { ${original} }`,
    'oifname "br-lan" accept',
    "ct status 0x2000 accept",
    "ct state related accept",
    "ct status snat,dnat meta nfproto ipv4 meta l4proto tcp goto squeezed_tcp",
    "goto plain",
  ]);
  const oneArmed = live("intercept: { interfaces: [eth0] }");
  assert.equal(chain(oneArmed, "question")![2], "ct status 0x2000 accept");
});

Deno.test("planLive() asks from client to client where a rule names the destination", () => {
  const plan = live(`{ ${ONE}, rules: [{ to: [10.77.4.0/24], action: direct }] }`);
  const original =
    "ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst";
  assert.equal(chain(plan, "steer")![0], "meta mark & 0x40000004 == 0x40000004 goto insists");
  assert.deepEqual(chain(plan, "insists"), [
    `meta nfproto ipv4 meta l4proto tcp update @insisting_ipv4 { ${FLOW} }`,
    "meta mark set meta mark & 0xbfffffff",
    "goto asks",
  ]);
  assert.deepEqual(chain(plan, "client_to_client"), [
    `meta nfproto ipv4 ${original} @insisting_ipv4 goto tells`,
    `ct state untracked meta nfproto ipv4 ${FLOW} @insisting_ipv4 goto tells`,
    "accept",
  ]);
  assert.deepEqual(chain(plan, "tells"), ["meta mark set meta mark | 0x40000000", "goto form"]);
  assert.deepEqual(chain(live(ONE), "client_to_client"), undefined);
});

Deno.test("planLive() copies and drops: addresses that NAT has changed go with the copy", () => {
  assert.deepEqual(chain(live(ONE), "plain"), ['log prefix "p" group 50080 queue-threshold 1 drop']);
  assert.deepEqual(chain(live(ONE), "squeezed_tcp"), [
    "@th,64,32 set ct original ip saddr @nh,32,32 set ct original ip daddr " +
    "@th,128,16 set ct original proto-src @th,144,16 set ct original proto-dst",
    'log prefix "s" group 50080 queue-threshold 1 drop',
  ]);
  assert.deepEqual(chain(live(""), "squeezed_udp"), [
    "@nh,16,32 set ct original ip saddr @nh,64,32 set ct original ip daddr " +
    "@th,32,16 set ct original proto-src @th,48,16 set ct original proto-dst",
    'log prefix "u" group 50080 queue-threshold 1 drop',
  ]);
  assert.deepEqual(chain(live(""), "translated_udp"), [
    'log prefix "t" group 50080 queue-threshold 1 @nh,64,128 set ct original ip6 saddr ' +
    "@nh,192,128 set ct original ip6 daddr @th,0,16 set ct original proto-src " +
    '@th,16,16 set ct original proto-dst log prefix "o" group 50080 queue-threshold 1 drop',
  ]);
});

Deno.test("planLive() asks one worker about each port, and each port one worker", () => {
  for (const workers of [2, 3, 7, 256]) {
    const asked = new Map<number, number>();
    for (const rule of chain(live(ONE, { workers }), "plain")!) {
      const [mask, first, last, group] = /^th sport & (\d+) (\d+)-(\d+) log prefix "p" group (\d+) /.exec(
        rule,
      )!.slice(1).map(Number);
      for (let port = 1024; port < 2048; port++) {
        if ((port & mask) < first || (port & mask) > last) continue;
        assert.ok(!asked.has(port), `${workers} workers: ${port}`);
        asked.set(port, group - 50080);
      }
    }
    assert.equal(asked.size, 1024);
    assert.equal(new Set(asked.values()).size, workers);
  }
});

Deno.test("planLive() shares the connections that a client opens one after another", () => {
  for (const workers of [2, 3, 4, 7]) {
    const owners = Array.from({ length: 64 }, (_, at) => {
      const value = at & ((1 << questionBits(workers)) - 1);
      return Array.from({ length: workers }, (_, worker) => questionShare(worker, workers))
        .findIndex(({ first, last }) => value >= first && value <= last);
    });
    for (let worker = 0; worker < workers; worker++) {
      const share = owners.filter((owner) => owner === worker).length / 64;
      assert.ok(share > 0.7 / workers && share < 1.3 / workers, `${workers} workers: ${share} for ${worker}`);
    }
  }
});

Deno.test("planLive() has the kernel refuse held packets as their TTL says", () => {
  const refusals = (name: string) => chain(live(""), name)!.filter((rule) => /reject/.test(rule));
  assert.deepEqual(refusals("injected"), [
    "meta nfproto ipv4 ip ttl 1 meta l4proto tcp reject with tcp reset",
    "meta nfproto ipv6 ip6 hoplimit 1 meta l4proto tcp reject with tcp reset",
    "meta nfproto ipv6 ip6 hoplimit 1 meta l4proto udp reject with icmpx port-unreachable",
    "meta nfproto ipv6 ip6 hoplimit 2 reject with icmpx host-unreachable",
    "meta nfproto ipv6 ip6 hoplimit 3 reject with icmpx no-route",
    "meta nfproto ipv6 ip6 hoplimit 4 reject with icmpx admin-prohibited",
    "meta nfproto ipv6 ip6 hoplimit 5 reject with icmpx port-unreachable",
  ]);
  const errors = [
    ["1 meta l4proto udp", "port-unreachable"],
    ["2", "host-unreachable"],
    ["3", "no-route"],
    ["4", "admin-prohibited"],
    ["5", "port-unreachable"],
  ];
  assert.deepEqual(
    refusals("held"),
    errors.map(([ttl, code]) => `meta nfproto ipv4 ip ttl ${ttl} reject with icmpx ${code}`),
  );
  assert.deepEqual(chain(live(""), "client_sent"), [
    "ct direction original goto held",
    "meta l4proto udp goto answer",
  ]);
  assert.equal(chain(live(""), "held")!.at(-1), "meta l4proto udp goto answer");
  // Such a datagram comes the same way, and is none of these.
  assert.ok(!Object.values<number>(VERDICT_TTL).includes(UNSENT_TTL));
});

Deno.test("planLive() asks nobody while the proxy drains; what it has keeps its zone, NAT and route", () => {
  const { chains, sets } = compileLive(
    live("intercept: { router-traffic: true }", { accepting: false }),
  );
  assert.deepEqual(chains.map(({ name }) => name), [
    "injected",
    "asks",
    "steer",
    "to_clients",
    "answer",
    "held",
    "client_sent",
    "dial",
    "sent",
    "keep_incoming",
    "keep_outgoing",
    "keep_source",
    "keep_route",
  ]);
  assert.doesNotMatch(JSON.stringify([chains, sets]), /asking/);
});

Deno.test("planLive() keeps what is dialled as the router would have forwarded it: its addresses, its mark", () => {
  const plan = live("intercept: { families: [ipv4], protocols: [tcp] }");
  const [own, translated] = ["meta priority 7471:0", "meta priority 7472:0"];
  const source = "meta nfproto ipv4 snat ip to ip saddr";
  const destination = "meta nfproto ipv4 dnat ip to ip daddr";
  assert.deepEqual(chain(plan, "keep_incoming"), [`ct zone 50080 ${destination}`]);
  assert.deepEqual(
    chain(plan, "keep_outgoing"),
    ["ct zone 50080", own, translated].map((flow) => `${flow} ${destination}`),
  );
  assert.deepEqual(
    chain(plan, "keep_source"),
    ["ct zone 50080", translated].map((flow) => `${flow} ${source}`),
  );
  assert.deepEqual(chain(plan, "keep_route"), [
    ...["ct zone 50080", own, translated].map((flow) => `${flow} meta mark set socket mark accept`),
    "ct zone 50080 meta mark != 0x0 meta mark set meta mark & 0x0 accept",
  ]);
});

Deno.test("planLive() keeps what it sends from what others do, and makes no chain where they do nothing", () => {
  const kept = (others: Partial<LiveOptions["others"]>) => {
    const nothing = { incoming: false, outgoing: false, source: false, route: false, flowMarks: false };
    const { chains } = compileLive(live("{}", { others: { ...nothing, ...others } }));
    return chains.map(({ name }) => name).filter((name) => name.startsWith("keep_"));
  };
  assert.deepEqual(kept({}), []);
  assert.deepEqual(kept({ incoming: true }), ["keep_incoming"]);
  assert.deepEqual(kept({ outgoing: true, route: true }), ["keep_outgoing", "keep_route"]);
  assert.deepEqual(kept({ source: true }), ["keep_source"]);
});

Deno.test("planLive() has what others mark go on with its mark, and nothing for it where they mark nothing", () => {
  const yaml = "intercept: { families: [ipv4], protocols: [udp] }";
  const marked = live(yaml, { others: { ...LIVE_OPTIONS.others, flowMarks: true } });
  const original =
    "ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst";
  const udp = "meta nfproto ipv4 meta l4proto udp";
  assert.deepEqual(chain(marked, "question")!.slice(3, 7), [
    `${udp} delete @marks_ipv4 { ${FLOW} : ct mark }`,
    `ct mark != 0x0 ${udp} add @marks_ipv4 { ${FLOW} : ct mark }`,
    `ct status snat,dnat ${udp} delete @marks_ipv4 { ${original} : ct mark }`,
    `ct status snat,dnat ct mark != 0x0 ${udp} add @marks_ipv4 { ${original} : ct mark }`,
  ]);
  assert.deepEqual(chain(marked, "dial"), [`ct mark 0x0 ${udp} ct mark set ${FLOW} map @marks_ipv4`]);
  assert.ok(compileLive(marked).sets.some(({ name }) => name === "marks_ipv4"));
  const unmarked = compileLive(live("", { others: { ...LIVE_OPTIONS.others, flowMarks: false } }));
  assert.doesNotMatch(JSON.stringify(unmarked), /marks_ipv|-mark"[^}]*marks/);
});

Deno.test("planLive() keeps a flow known that is answered, and drops what conntrack alone should see", () => {
  assert.deepEqual(chain(live("intercept: { families: [ipv6] }"), "answer"), [
    'oifname "lo" return',
    "meta nfproto ipv6 meta l4proto udp update @known_ipv6 { ip6 daddr . th dport . ip6 saddr . th sport }",
    "meta nfproto ipv6 ip6 hoplimit 6 drop",
  ]);
  assert.equal(chain(live("intercept: { protocols: [tcp] }"), "answer"), undefined);
});

Deno.test("planLive() brings errors about what is dialled in clients' names to the sockets that dial", () => {
  const original =
    "ct original ip saddr . ct original proto-src . ct original ip daddr . ct original proto-dst";
  assert.deepEqual(chain(live(ONE), "dial"), [
    "meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack socket transparent 1 " +
    `update @dialled_ipv4 { ${FLOW} }`,
  ]);
  assert.deepEqual(chain(live(ONE), "sent"), [
    "tcp flags != syn / fin,syn,rst,ack return",
    "meta priority 7470:0 goto client_sent",
    "meta priority 7471:0 goto dial",
    "meta priority 7472:0 goto dial",
    "ct zone 50080 return",
    "meta nfproto ipv4 icmp type destination-unreachable ct state related " +
    `${original} @dialled_ipv4 meta mark set meta mark | 0x40000003 accept`,
  ]);
  assert.equal(chain(live("intercept: { protocols: [udp] }"), "dial"), undefined);
});

Deno.test("planLive() with one family has nothing of the other", () => {
  for (const [family, other] of [["ipv4", "ip6"], ["ipv6", "ip "]]) {
    const { chains, sets } = compileLive(live(`intercept: { families: [${family}] }`));
    const text = chains.flatMap(({ rules }) => rules.map(({ statements }) => renderRule(statements)));
    assert.ok(!text.some((rule) => rule.includes(other)), family);
    assert.ok(sets.every(({ name }) => name.endsWith(family)));
  }
});
