/** Connections follow at upgrades where marks, interfaces and sources choose the way out. */
import { roads, upgradeFieldTest } from "../../laboratory/upgrade/field_upgrades.ts";
import { KEEPALIVED, MWAN3, PBR } from "../../laboratory/field/routers/multiwan.ts";
import { chain, table } from "../../laboratory/field/rules.ts";

const BOTH = ["iptables", "ip6tables"];
const FIRST = { to: "anycast", host: "server", port: 80 } as const;
const SECOND = { to: "anycast", host: "other", port: 80 } as const;
/** Table 202 leads out the second way. */
const TABLE = `ip route add default via 198.18.0.2 table 202
ip -6 route add default via 2001:db8:78::2 table 202`;

function rule(words: string): string {
  return `${TABLE}\nip rule add ${words}\nip -6 rule add ${words}`;
}

upgradeFieldTest("mwan3", {
  programs: BOTH,
  router: MWAN3,
  roads: [
    ...roads(FIRST, "server sees wan"),
    ...roads({ ...SECOND, from: "guest" }, "other sees wan2"),
  ],
});

upgradeFieldTest("pbr", {
  router: PBR,
  roads: [
    ...roads({ ...FIRST, port: 53 }, "server sees wan"),
    ...roads({ ...SECOND, bulk: false }, "other sees wan2"),
  ],
});

upgradeFieldTest("keepalived", {
  router: KEEPALIVED,
  roads: [
    ...roads(SECOND, "other sees client"),
    ...roads({ to: "server", host: "server", port: 80, from: "guest" }, {
      4: "server sees 203.0.113.100",
      6: "server sees guest",
    }),
  ],
});

upgradeFieldTest("a provider by a mark of prerouting", {
  router: `${
    table(
      "pbr",
      chain("filter", "prerouting mangle", "iifname r0 meta mark set meta mark & 0xff00ffff | 0x00020000;"),
    )
  }
${rule("pref 30000 fwmark 0x20000/0xff0000 lookup 202")}`,
  roads: roads(SECOND, "other sees client"),
});

upgradeFieldTest("a provider by the incoming interface", {
  router: rule("pref 30000 iif r0 lookup 202"),
  roads: roads(SECOND, "other sees client"),
});

upgradeFieldTest("two providers, whose choice is saved in the connection", {
  programs: BOTH,
  router: `for t in iptables ip6tables; do
  $t -t mangle -A PREROUTING -j CONNMARK --restore-mark
  $t -t mangle -A PREROUTING -m mark ! --mark 0 -j ACCEPT
  $t -t mangle -A PREROUTING -i r0 -j MARK --set-mark 2
  $t -t mangle -A PREROUTING -i r4 -j MARK --set-mark 1
  $t -t mangle -A PREROUTING -i r3 -j MARK --set-mark 2
  $t -t mangle -A PREROUTING -j CONNMARK --save-mark
  $t -t nat -A POSTROUTING -o r3 -j MASQUERADE
done
${rule("pref 20000 fwmark 2 lookup 202")}
ip rule add pref 19000 lookup main suppress_prefixlength 0
ip -6 rule add pref 19000 lookup main suppress_prefixlength 0`,
  roads: [
    ...roads(SECOND, "other sees wan2"),
    ...roads({ ...FIRST, from: "guest" }, "server sees guest"),
  ],
});
