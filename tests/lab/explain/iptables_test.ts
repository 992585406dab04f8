/**
 * `tproxy explain` among rules of iptables, of both kinds: filters, NAT and marks, and the route after.
 */
import assert from "node:assert/strict";
import type { Answer } from "../../../src/cli/explain/answer.ts";
import type { Lab } from "../../laboratory/lab.ts";
import { tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const FROM = "10.77.1.2";

async function explained(
  lab: Lab,
  to: string,
  ...more: string[]
): Promise<Answer & { readonly code: number }> {
  const config = writeConfig(lab, { default: "bypass" });
  const args = ["explain", "--json", "-c", config, "--from", FROM, "--to", to, ...more];
  const { code, stdout } = await tproxy(lab, args, { mayFail: true });
  return { ...JSON.parse(stdout), code };
}

for (const kind of ["nft", "legacy"] as const) {
  const iptables = `iptables-${kind}`;
  labTest(`explain follows a flow through rules of ${iptables}`, {
    programs: [iptables],
    forwarding: true,
  }, async (lab) => {
    await lab.router.run([
      "sh",
      "-ec",
      `
      ip route add default via 203.0.113.2
      ip route add unreachable default table 200
      ip rule add priority 900 fwmark 0x100/0x100 lookup 200
      ${iptables} -t nat -A PREROUTING -i r0 -p tcp --dport 8080 -j DNAT --to-destination 198.51.100.9:80
      ${iptables} -t nat -A PREROUTING -p tcp --dport 53 -j REDIRECT
      ${iptables} -t nat -A POSTROUTING -o r1 -p udp -j SNAT --to-source 203.0.113.7
      ${iptables} -t nat -A POSTROUTING -o r1 -j MASQUERADE
      ${iptables} -t mangle -A PREROUTING -p tcp --dport 99 -j MARK --set-xmark 0x100/0x100
      ${iptables} -A FORWARD -m conntrack --ctstate DNAT -j ACCEPT
      ${iptables} -A FORWARD -d 198.51.100.0/24 -j REJECT
      ${iptables} -A FORWARD -m time --timestart 01:00 --timestop 02:00 -j DROP
      ${iptables} -A FORWARD -p tcp --dport 25 -j DROP
    `,
    ]);
    await check("198.51.100.9:443", [], { end: "refused", code: 3, source: null });
    await check("192.0.2.1:25", [], { end: "dropped", code: 3, source: null });
    await check("192.0.2.1:443", [], { end: "forwarded", code: 0, source: "203.0.113.1" });
    await check("192.0.2.1:443", ["--protocol", "udp"], { end: "forwarded", code: 0, source: "203.0.113.7" });
    await check("192.0.2.1:99", [], { end: "unreachable", code: 3, source: null });
    await check("192.0.2.1:53", [], { end: "router", code: 0, source: null });
    // A port forwarding passes the rule that refuses its destination.
    const forwarded = await check("192.0.2.1:8080", [], {
      end: "forwarded",
      code: 0,
      source: "203.0.113.1",
    });
    assert.ok(forwarded.path!.some(({ translation }) => translation === "destination 198.51.100.9:80"));
    assert.ok(forwarded.certain, JSON.stringify(forwarded.path));
    // What a clock decides cannot be judged.
    assert.equal((await explained(lab, "192.0.2.1:443")).certain, false);

    async function check(to: string, more: string[], expected: object): Promise<Answer> {
      const answer = await explained(lab, to, ...more);
      const { end, code, source } = answer;
      assert.deepEqual(
        { end, code, source },
        expected,
        `${to} ${more}: ${JSON.stringify(answer, undefined, 1)}`,
      );
      assert.match(answer.warnings.join(), /nothing is installed/);
      return answer;
    }
  });
}
