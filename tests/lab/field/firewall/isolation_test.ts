/** Forward rules: guest isolation, times and MAC addresses, kill switch, portal (field case 1, F1). */
import { fieldTest } from "../../../laboratory/field/field.ts";
import { both, every } from "../../../laboratory/field/probes.ts";
import { chain, table } from "../../../laboratory/field/rules.ts";

/** A forward chain that drops, with these rules. */
function forward(rules: string): string {
  return table(
    "fw",
    chain("filter", "forward 0", `policy drop; ct state established,related accept\n${rules}`),
  );
}

for (const masquerade of [false, true]) {
  const seen = masquerade ? "wan" : "guest";
  fieldTest(`guest isolation${masquerade ? ", behind masquerade" : ""}`, {
    masquerade,
    router: forward(`
      iifname { r0, r4 } oifname { r1, r3 } accept
      iifname r4 oifname r2 reject
      iifname r0 oifname r2 tcp dport 443 accept`),
    probes: [
      ...every("server", 80, `server sees ${seen}`, { from: "guest" }),
      ...every("private", 80, "refused", { from: "guest" }),
      ...every("private", 80, "silence", { silenceMs: 400 }),
    ],
  });
}

fieldTest("a child's machine by its MAC and the time of day", {
  before: ({ lab }) => lab.client.ip("link set c0 address 02:00:00:00:00:02"),
  router: forward(`
    ether saddr 02:00:00:00:00:02 meta hour "00:00"-"23:59:59" reject with tcp reset
    ether saddr 02:00:00:00:00:02 drop
    accept`),
  probes: [
    ...both("server", 443, "refused").slice(0, 1),
    ...both("server", 443, "silence", { silenceMs: 400 }).slice(1),
    ...every("server", 443, "server sees guest", { from: "guest" }),
  ],
});

fieldTest("a kill switch: the default way out is shut, the tunnel is not", {
  router: `${
    forward(`
      iifname r0 oifname r1 reject with icmpx admin-prohibited
      accept`)
  }
    ip route add 192.0.2.9 via 198.18.0.2
    ip route add 2001:db8:99::9 via 2001:db8:78::2`,
  probes: [
    ...every("server", 80, "host unreachable").filter(({ name }) => name.includes("IPv4")),
    ...every("anycast", 80, "other sees client"),
  ],
});

fieldTest("a captive portal: nobody passes but those in a set", {
  router: forward("ip saddr 10.77.4.2 accept; ip6 saddr fd77:4::2 accept; reject"),
  probes: [
    ...every("server", 80, "refused"),
    ...every("server", 80, "server sees guest", { from: "guest" }),
  ],
});
