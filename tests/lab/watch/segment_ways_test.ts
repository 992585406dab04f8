/**
 * Ways of held segments of watched connections: where the kernel has no NFQUEUE they are sent once more, and
 * go to the server behind the WAN that the router's rules choose.
 */
import assert from "node:assert/strict";
import { addSecondWan, SECOND_TABLE } from "../../laboratory/network/second_wan.ts";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { runClient, serveWatched } from "../../laboratory/watch/watcher.ts";

const OPTIONS = { programs: ["python3", "nft"], forwarding: true };
const RULES = [{ name: "names", domains: [".blocked.test"], action: "block" }];
/** Python: a hello of one segment, one of two, and one that is blocked. */
const HELLOS = `
for host, padding in (("ok.test", 0), ("split.test", 300), ("www.blocked.test", 0)):
    s = connect(443); data = hello(host, padding); t = time.time()
    if padding: s.sendall(data[:200]); time.sleep(0.05); s.sendall(data[200:])
    else: s.sendall(data)
    report(host, t, said(s)); s.close()`;

/** Registers a test: all connections go to the second server, with their held segments and resets. */
function wayTest(name: string, words: string, router: string): void {
  labTest(`held segments leave as without tproxy: ${name}`, OPTIONS, async (lab) => {
    const second = await addSecondWan(lab);
    await lab.router.nft(router);
    const servers = [await serveWatched(lab), await serveWatched(lab, second)];
    for (const family of [4, 6] as const) {
      await lab.router.ip(`rule add pref 30000 ${words} lookup ${SECOND_TABLE}`, { family });
    }
    const proxy = await startProxy(lab, { config: { rules: RULES, default: "bypass" } });
    for (const family of [4, 6] as const) {
      const [whole, split, blocked] = await runClient(lab, family, HELLOS);
      assert.match(whole.said, /^\d+$/);
      assert.match(split.said, /^\d+$/);
      assert.equal(blocked.said, "Connection reset by peer");
    }
    await until(() => /443 Connection reset by peer 0/.test(servers[1].stdout), { what: "a reset" });
    assert.equal(servers[0].stdout, "");
    assert.doesNotMatch(proxy.log, /cannot send/);
    const { stdout } = await lab.router.run(["nft", "list", "chain", "inet", "seen", "post"]);
    assert.match(stdout, /packets 0 bytes 0 comment "pinned"/);
  });
}

/** Counts what leaves with the mark's bit that leads it. */
const SEEN = `table inet seen { chain post { type filter hook postrouting priority mangle;
  meta l4proto tcp meta mark & 0x1f != 0 counter comment "pinned"; }; }`;

wayTest("by the incoming interface", "iif r0", SEEN);
wayTest(
  "by the incoming interface, masqueraded",
  "iif r0",
  `${SEEN}
  table inet others { chain post { type nat hook postrouting priority srcnat; oifname "r2" masquerade; }; }`,
);

labTest("a held segment of a connection whose server NAT has changed goes there", {
  ...OPTIONS,
  masquerade: true,
}, async (lab) => {
  // What forwarding would do with the address that the client has sent it to is nobody's way.
  await addSecondWan(lab);
  for (const family of [4, 6] as const) {
    await lab.router.ip(`rule add pref 30000 iif r0 lookup ${SECOND_TABLE}`, { family });
    await lab.router.ip(`rule add pref 29000 to ${ADDRESSES[family].server} lookup main`, { family });
    await lab.router.ip(`route add default via ${ADDRESSES[family].server}`, { family });
  }
  await lab.router.nft(`table inet others { chain pre { type nat hook prerouting priority dstnat;
    iifname "r0" ip daddr 192.0.2.9 dnat ip to ${ADDRESSES[4].server};
    iifname "r0" ip6 daddr 2001:db8:9::9 dnat ip6 to ${ADDRESSES[6].server}; }; }`);
  await serveWatched(lab);
  const proxy = await startProxy(lab, { config: { rules: RULES, default: "bypass" } });
  for (const [family, to] of [[4, "192.0.2.9"], [6, "2001:db8:9::9"]] as const) {
    const [whole, split, blocked] = await runClient(lab, family, HELLOS, to);
    assert.match(whole.said, /^\d+$/);
    assert.match(split.said, /^\d+$/);
    assert.equal(blocked.said, "Connection reset by peer");
  }
  assert.doesNotMatch(proxy.log, /cannot send/);
});
