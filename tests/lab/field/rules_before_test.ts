/** Routing rules that come before ours, and rules that vanish (field case 4, F4). */
import { fieldTest } from "../../laboratory/field/field.ts";
import { every } from "../../laboratory/field/probes.ts";

/** `run` puts its own first again within a second. */
const SETTLED = "sleep 1.3";

const SECOND = `ip route add default via 198.18.0.2 table 220
ip -6 route add default via 2001:db8:78::2 table 220`;

fieldTest("wg-quick comes up while the proxy runs", {
  later: `ip route add default via 198.18.0.2 table 51820
ip rule add not fwmark 51820 lookup 51820
ip rule add lookup main suppress_prefixlength 0
ip -6 route add default via 2001:db8:78::2 table 51820
ip -6 rule add not fwmark 51820 lookup 51820
ip -6 rule add lookup main suppress_prefixlength 0
sysctl -qw net.ipv4.conf.all.src_valid_mark=1
${SETTLED}`,
  probes: [...every("anycast", 80, "other sees client"), ...every("private", 80, "private sees client")],
  forwarded: "oifname r2",
});

for (const pref of [10, 105, 200, 220, 300]) {
  fieldTest(`somebody's rule at preference ${pref} with a route to one network`, {
    router: `ip route add 192.0.2.0/24 via 198.18.0.2 table 220
ip -6 route add 2001:db8:99::/64 via 2001:db8:78::2 table 220`,
    later: `ip rule add pref ${pref} lookup 220\nip -6 rule add pref ${pref} lookup 220\n${SETTLED}`,
    probes: [...every("anycast", 80, "other sees client"), ...every("server", 80, "server sees client")],
  });
}

fieldTest("somebody's rule that is there first", {
  router: `${SECOND}
for family in -4 -6; do
  ip $family rule add pref 99 lookup main suppress_prefixlength 0
  ip $family rule add pref 100 lookup 220
done`,
  probes: every("anycast", 80, "other sees client"),
});

fieldTest("our routing rules are taken away", {
  later: `for family in -4 -6; do
  while ip $family rule | grep -q 'lookup 100'; do
    ip $family rule del pref $(ip $family rule | sed -n '/lookup 100/{s/:.*//;p;q}') || break
    n=$((n + 1)); [ $n -lt 50 ] || break
  done
done
${SETTLED}`,
  probes: every("server", 80, "server sees client"),
});

fieldTest("our routing table is flushed", {
  later: `ip route flush table 100 || true; ip -6 route flush table 100 || true; ${SETTLED}`,
  probes: every("server", 80, "server sees client"),
});

fieldTest("nft flush ruleset while the proxy runs", {
  later: `nft flush ruleset 2>/dev/null || true; ${SETTLED}`,
  probes: every("server", 80, "server sees client"),
});
