/**
 * Type direct: flows of the client leave by the second way out, by its interface or a mark; those of the
 * guest go on by the first. See tests/laboratory/field/places.ts for the hosts.
 */
import assert from "node:assert/strict";
import { delay, until } from "../../laboratory/machine/wait.ts";
import { Caller } from "../../laboratory/field/caller.ts";
import { type Field, inField, startFieldProxy } from "../../laboratory/field/field.ts";
import { FIELD } from "../../laboratory/field/places.ts";
import { type Probe, tcp, udp } from "../../laboratory/field/probes.ts";
import { chain, table } from "../../laboratory/field/rules.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import type { ConfigText, Proxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";

const FAMILIES = [4, 6] as const;
const SECOND = `ip route replace default via 198.18.0.2 dev r3 table 202
ip -6 route replace default via 2001:db8:78::2 dev r3 table 202`;
const MASQUERADE = table("second_way", chain("nat", "postrouting srcnat", "oifname r3 masquerade"));

/** The table of the second way out, and a rule that leads there. */
function ruled(words: string): string {
  return `${SECOND}\nip rule add pref 900 ${words} lookup 202\nip -6 rule add pref 900 ${words} lookup 202`;
}

const BY_INTERFACE = ruled("oif r3");

interface WayCase {
  readonly router: string;
  readonly lte: ConfigText;
  /** Further parts of the config; rules lead the client to `upstream`, which is `lte` unless it says more. */
  readonly config?: ConfigText;
  readonly upstream?: string;
  readonly programs?: readonly string[];
}

/** Registers a test with the proxy on the field's router. */
function wayTest(
  name: string,
  { router, lte, config = {}, upstream = "lte", programs = [] }: WayCase,
  work: (field: Field, proxy: Proxy) => Promise<void>,
): void {
  labTest(name, { forwarding: true, programs }, (lab) =>
    inField(lab, { router }, async (field) => {
      const { upstreams, ...rest } = config;
      const proxy = await startFieldProxy(field, {
        config: {
          rules: [{ name: "by lte", from: [FIELD.client[4], FIELD.client[6]], action: "proxy", upstream }],
          upstreams: { lte: { type: "direct", ...lte }, ...upstreams as ConfigText },
          ...rest,
        },
      });
      await work(field, proxy);
    }));
}

async function assertProbes({ places }: Field, probes: readonly Probe[]): Promise<void> {
  for (const { name, expected, run } of probes) assert.equal(await run(places), expected, name);
}

/** The client's TCP by both families, and the guest's, which no rule leads. */
function outBy(expected: string, ports: readonly number[] = [80, 443]): Probe[] {
  return FAMILIES.flatMap((family) => [
    ...ports.map((port) => tcp("anycast", port, expected, { family })),
    tcp("anycast", 80, "server sees guest", { family, from: "guest" }),
  ]);
}

/** With the client's address the port is another one. */
const SEEN = "other sees wan2, another port";

for (const admission of ["forward-path", "early"]) {
  const intercept = { admission };
  const port = admission === "early" ? "" : ", another port";
  for (
    const [source, seen, translated] of [
      ["router", SEEN, SEEN],
      ["client", `other sees client${port}`, `other sees wan2${port}`],
      ["client-address", "other sees client, another port", SEEN],
    ] as const
  ) {
    wayTest(`By an interface, source ${source}, admission ${admission}`, {
      router: BY_INTERFACE,
      lte: { interface: "r3", source },
      config: { intercept },
    }, async (field) => {
      await assertProbes(field, outBy(seen));
      await field.lab.router.run(["sh", "-ec", MASQUERADE]);
      await assertProbes(field, outBy(translated));
    });
  }
}

wayTest("By a mark that a routing rule of the administrator asks for", {
  router: `${MASQUERADE}${ruled("fwmark 0x200/0x200")}`,
  lte: { mark: "0x200/0x200" },
}, (field) => assertProbes(field, outBy(SEEN)));

wayTest("A mark leaves other bits of the administrator's as they are, and clears those of its mask", {
  router: `${table("marks", chain("filter", "prerouting mangle", "iifname r0 meta mark set 0x10100"))}
${ruled("fwmark 0x10200/0x10300")}`,
  lte: { mark: "0x200/0x300" },
}, (field) => assertProbes(field, outBy("other sees client, another port")));

/** Flows come to `lte` when another member has failed them. */
const BEHIND_DEAD = {
  upstream: "group",
  config: {
    upstreams: { dead: { type: "socks5", address: `${FIELD.server[4]}:1079` } },
    groups: { group: { members: ["dead", "lte"] } },
    checks: { interval: "1h" },
  },
};

wayTest("What the router translates is dialled as it is translated", {
  router: `${MASQUERADE}${BY_INTERFACE}\n${
    table(
      "redirected",
      chain(
        "nat",
        "prerouting dstnat",
        `tcp dport 81 dnat ip to ${FIELD.anycast[4]}:80
    tcp dport 81 dnat ip6 to [${FIELD.anycast[6]}]:80`,
      ),
    )
  }`,
  lte: { interface: "r3" },
  ...BEHIND_DEAD,
}, async (field) => {
  // By the group's second member: the answer is kept for it.
  await assertProbes(
    field,
    FAMILIES.map((family) => tcp("nowhere", 81, SEEN, { family })),
  );
});

wayTest("The client is told what its server does, as without a proxy", {
  router: `${MASQUERADE}${BY_INTERFACE}`,
  lte: { interface: "r3" },
  upstream: "group",
  config: {
    upstreams: { office: { type: "forward", address: `${FIELD.server[4]}:80` } },
    groups: { group: { members: ["lte", "office"] } },
    timeouts: { connect: "8s" },
  },
}, async (field) => {
  const filter = chain("filter", "input 0", "tcp dport 443 reject with icmpx host-unreachable");
  await field.places.other.run(["sh", "-ec", table("refusal", filter)]);
  await assertProbes(field, FAMILIES.map((family) => tcp("anycast", 81, "refused", { family })));
  // Not its server's word: another member may do better. This one does.
  await assertProbes(field, [tcp("anycast", 443, "server sees wan, another port")]);
});

wayTest("Alone, a server that is unreachable or silent is so to the client", {
  router: `${MASQUERADE}${BY_INTERFACE}`,
  lte: { interface: "r3" },
}, async (field) => {
  const refuses = "tcp dport 443 reject with icmpx host-unreachable; tcp dport 53 drop";
  await field.places.other.run(["sh", "-ec", table("refusal", chain("filter", "input 0", refuses))]);
  await assertProbes(
    field,
    FAMILIES.flatMap((family) => [
      tcp("anycast", 443, "host unreachable", { family }),
      tcp("anycast", 53, "silence", { family }),
    ]),
  );
});

const GONE = "ip link set r3 down\nip link set r3 name gone3";
const BACK = `ip link set gone3 name r3
ip link set r3 up
ip -6 addr replace 2001:db8:78::1/64 dev r3 nodad
${SECOND}`;

wayTest("An interface that has gone: refused at once, and never by another way, until it is back", {
  router: `${MASQUERADE}${BY_INTERFACE}`,
  lte: { interface: "r3" },
}, async (field, proxy) => {
  await assertProbes(field, outBy(SEEN));
  await field.lab.router.run(["sh", "-ec", GONE]);
  for (const family of FAMILIES) {
    for (let i = 0; i < 5; i++) {
      const begun = performance.now();
      await assertProbes(field, [tcp("anycast", 80, "refused", { family })]);
      assert.ok(performance.now() - begun < 300, `after ${performance.now() - begun} ms`);
    }
  }
  const failed = /an upstream has failed.*upstream=lte.*ENODEV/;
  await until(() => failed.test(proxy.log), { what: "the log to tell of the upstream" });
  await field.lab.router.run(["sh", "-ec", BACK]);
  await assertProbes(field, outBy(SEEN));
});

wayTest("failover: the office proxy carries what lte cannot, checks of lte's target bring it back", {
  router: `${MASQUERADE}${BY_INTERFACE}`,
  lte: {
    interface: "r3",
    check: { target: `${FIELD.other[4]}:22`, interval: "500ms", timeout: "400ms", rise: 1, fall: 2 },
  },
  upstream: "group",
  programs: ["microsocks"],
  config: {
    upstreams: { office: { type: "socks5", address: `${FIELD.server[4]}:1080` } },
    groups: { group: { members: ["lte", "office"] } },
  },
}, async (field, proxy) => {
  await startMicrosocks(field.lab, { port: 1080, asks: false });
  const byOffice = FAMILIES.map((family) =>
    tcp("anycast", 80, "server sees anycast, another port", { family })
  );
  await assertProbes(field, outBy(SEEN));
  await field.lab.router.run(["sh", "-ec", GONE]);
  await assertProbes(field, byOffice); // before any check
  await until(() => /an upstream is down.*upstream=lte.*ENODEV/.test(proxy.log), { what: "the check" });
  await assertProbes(field, byOffice);
  await field.lab.router.run(["sh", "-ec", BACK]);
  await until(() => /an upstream is up.*upstream=lte/.test(proxy.log), {
    what: "its return",
    timeoutMs: 8000,
  });
  await assertProbes(field, outBy(SEEN));
  assert.doesNotMatch(proxy.log, /upstream is (up|down).*upstream=office/);
});

wayTest("A client whose SYN comes again meanwhile is not taken for the dial, where there is NAT", {
  router: `${MASQUERADE}${BY_INTERFACE}
ip neigh add 198.18.0.9 lladdr 02:00:00:00:00:09 dev r3
ip route replace default via 198.18.0.9 dev r3 table 202`,
  lte: { interface: "r3" },
}, async (field) => {
  const dialled = tcp("anycast", 80, SEEN, { silenceMs: 6000 }).run(field.places);
  await delay(300);
  // Both SYNs were lost.
  await field.lab.router.ip("route replace default via 198.18.0.2 dev r3 table 202");
  assert.equal(await dialled, SEEN);
});

wayTest("Flows whose name leads them there, and no others", {
  router: `${MASQUERADE}${BY_INTERFACE}`,
  lte: { interface: "r3" },
  config: { rules: [{ name: "by name", domains: ["*.example"], action: "proxy", upstream: "lte" }] },
}, async ({ places }) => {
  for (const family of FAMILIES) {
    for (const [host, seen] of [["www.example", "other"], ["www.other", "server"]] as const) {
      using caller = new Caller(places.client, at(FIELD.anycast[family], 80));
      assert.equal(await caller.connected(1500), undefined);
      caller.send(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      assert.match(await caller.read(/\n/, 1500), new RegExp(`^${seen} sees`));
    }
  }
});

wayTest("Servers that refuse are no fault of the way", {
  router: `${MASQUERADE}${BY_INTERFACE}`,
  lte: { interface: "r3", check: { fall: 1 } },
}, async (field, proxy) => {
  for (let i = 0; i < 5; i++) await assertProbes(field, [tcp("anycast", 81, "refused")]);
  await assertProbes(field, outBy(SEEN));
  assert.doesNotMatch(proxy.log, /upstream/);
});

/** The client's datagrams by both families, to two servers; and the guest's, which no rule leads. */
function datagramsBy(expected: string): Probe[] {
  return FAMILIES.flatMap((family) => [
    udp("anycast", 80, expected, { family }),
    udp("anycast", 443, expected, { family }),
    udp("anycast", 80, "server sees guest", { family, from: "guest" }),
  ]);
}

for (const admission of ["forward-path", "early"]) {
  const intercept = { admission };
  const port = admission === "early" ? "" : ", another port";
  for (
    const [source, seen] of [
      ["router", SEEN],
      ["client", `other sees client${port}`],
      ["client-address", "other sees client, another port"],
    ] as const
  ) {
    wayTest(`UDP by an interface, source ${source}, admission ${admission}`, {
      router: BY_INTERFACE,
      lte: { interface: "r3", source, udp: true },
      config: { intercept },
    }, (field) => assertProbes(field, datagramsBy(seen)));
  }
}

wayTest("UDP by a mark, to where the router translates it, and refused where nobody listens", {
  router: `${MASQUERADE}${ruled("fwmark 0x200/0x200")}\n${
    table("redirected", chain("nat", "prerouting dstnat", `udp dport 82 dnat ip to ${FIELD.anycast[4]}:80`))
  }`,
  lte: { mark: "0x200/0x200", udp: true },
}, (field) =>
  assertProbes(field, [
    ...datagramsBy(SEEN),
    udp("nowhere", 82, SEEN),
    udp("anycast", 81, "refused"),
  ]));

wayTest("UDP whose interface has gone is refused at once, or carried by another member", {
  router: `${MASQUERADE}${BY_INTERFACE}`,
  lte: { interface: "r3", udp: true },
  upstream: "group",
  config: {
    upstreams: { office: { type: "forward", address: `${FIELD.server[4]}:80` } },
    groups: { group: { members: ["lte", "office"] } },
    checks: { interval: "1h" },
  },
}, async (field, proxy) => {
  await assertProbes(field, datagramsBy(SEEN));
  await field.lab.router.run(["sh", "-ec", GONE]);
  await assertProbes(field, [udp("anycast", 80, "server sees wan, another port")]);
  const failed = /an upstream has failed.*upstream=lte.*ENODEV/;
  await until(() => failed.test(proxy.log), { what: "the log to tell of the upstream" });
});

wayTest("UDP is refused unless it is asked for, and never goes by the first way", {
  router: `${MASQUERADE}${BY_INTERFACE}`,
  lte: { interface: "r3" },
}, (field) => assertProbes(field, FAMILIES.map((family) => udp("anycast", 80, "refused", { family }))));

for (const [source, seen] of [["client", "client"], ["client-address", "client, another port"]] as const) {
  wayTest(`A server of type forward sees the client: source ${source}`, {
    router: "",
    lte: {},
    upstream: "edge",
    config: {
      upstreams: { edge: { type: "forward", address: `${FIELD.other[4]}:8080`, source } },
    },
  }, async (field, proxy) => {
    await assertProbes(field, [
      tcp("server", 80, `other sees ${seen}`),
      tcp("server", 80, "refused", { family: 6 }), // there is no such address
      tcp("server", 80, `other sees ${seen}`),
    ]);
    assert.doesNotMatch(proxy.log, /an upstream has failed/);
  });
}
