import assert from "node:assert/strict";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { compileTable } from "../../../../src/kernel/nft/chains.ts";
import { renderNft } from "../../../../src/kernel/nft/render.ts";
import { configWith, ROUTER } from "../support/view.ts";

/** The rule set of the design, in nft's own words. */
const EXPECTED = `add table inet transparent_proxy
delete table inet transparent_proxy
table inet transparent_proxy {
comment "made by tproxy install"
set served_ipv4 {
type ipv4_addr . inet_service . ipv4_addr . inet_service
size 65536
flags timeout,dynamic
timeout 180s
}
set served_ipv6 {
type ipv6_addr . inet_service . ipv6_addr . inet_service
size 65536
flags timeout,dynamic
timeout 180s
}
chain divert {
type filter hook prerouting priority raw - 10; policy accept;
iifname != "br-lan" return
tcp flags syn / fin,syn,rst,ack goto intercept
meta l4proto tcp socket transparent 1 fib daddr type != { local, broadcast, anycast, multicast } meta mark set meta mark | 0x1 notrack accept
meta l4proto tcp accept
meta l4proto udp goto intercept
icmp type destination-unreachable icmp code frag-needed socket transparent 1 fib daddr type != { local, broadcast, anycast, multicast } meta mark set meta mark | 0x1 notrack accept
icmpv6 type packet-too-big socket transparent 1 fib daddr type != { local, broadcast, anycast, multicast } meta mark set meta mark | 0x1 notrack accept
}
chain intercept {
fib daddr type { local, broadcast, anycast, multicast } return
meta nfproto ipv4 meta l4proto udp ip saddr . th sport . ip daddr . th dport @served_ipv4 update @served_ipv4 { ip saddr . th sport . ip daddr . th dport } accept
meta nfproto ipv6 meta l4proto udp ip6 saddr . th sport . ip6 daddr . th dport @served_ipv6 update @served_ipv6 { ip6 saddr . th sport . ip6 daddr . th dport } accept
meta nfproto ipv4 tcp flags syn / fin,syn,rst,ack tproxy ip to 127.0.0.1:50080 meta mark set meta mark | 0x1 notrack accept
meta nfproto ipv4 meta l4proto udp tproxy ip to 127.0.0.1:50080 meta mark set meta mark | 0x1 notrack accept
meta nfproto ipv6 tcp flags syn / fin,syn,rst,ack tproxy ip6 to [::1]:50080 meta mark set meta mark | 0x1 notrack accept
meta nfproto ipv6 meta l4proto udp tproxy ip6 to [::1]:50080 meta mark set meta mark | 0x1 notrack accept
}
chain divert_replies {
type filter hook prerouting priority dstnat + 10; policy accept;
iifname "br-lan" return
meta l4proto tcp socket transparent 1 meta mark set meta mark | 0x1 accept
meta l4proto udp ct state established,related socket transparent 1 meta mark set meta mark | 0x1 accept
meta l4proto tcp accept
icmp type destination-unreachable icmp code frag-needed socket transparent 1 meta mark set meta mark | 0x1 accept
icmpv6 type packet-too-big socket transparent 1 meta mark set meta mark | 0x1 accept
}
chain served {
type filter hook forward priority 300; policy accept;
iifname != "br-lan" oifname "br-lan" meta nfproto ipv4 meta l4proto udp ct direction original update @served_ipv4 { ip daddr . th dport . ip saddr . th sport }
iifname != "br-lan" oifname "br-lan" meta nfproto ipv6 meta l4proto udp ct direction original update @served_ipv6 { ip6 daddr . th dport . ip6 saddr . th sport }
}
chain untracked {
type filter hook output priority raw; policy accept;
meta mark 0x4 notrack
}
}`;

Deno.test("renderNft() writes the rule set of the design, each line with its reason", () => {
  const text = renderNft(compileTable(planInstall(configWith(), ROUTER)));
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  assert.equal(lines.filter((line) => !line.startsWith("#")).join("\n"), EXPECTED);
  lines.forEach((line, index) => {
    if (/accept$|return$|goto|notrack$/.test(line)) {
      assert.match(lines[index - 1], /^# ./, `no reason for ${line}`);
    }
  });
});

Deno.test("renderNft() refuses an interface name that nft cannot express", () => {
  const view = { ...ROUTER, links: [{ name: 'a"b', loopback: false }] };
  assert.throws(
    () => renderNft(compileTable(planInstall(configWith(), view))),
    /its language cannot express this name/,
  );
});
