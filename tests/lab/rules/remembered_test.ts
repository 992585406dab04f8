/** UDP flows that a long list of networks lets pass, and that the router then remembers. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { exchange, openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";

/** Long enough that flows are remembered; none of them the laboratory's own. */
const FILLER = Array.from({ length: 600 }, (_, i) => `198.18.${i >> 4}.${(i & 15) * 16}/29`);
const FILLER6 = FILLER.map((_, i) => `2001:db8:ffff:${(2 * i).toString(16)}::/64`);

/** Counts the flows that the router remembers. */
async function countRemembered(lab: Lab, family: 4 | 6): Promise<number> {
  const argv = ["nft", "list", "set", "inet", "transparent_proxy", `bypassed_ipv${family}`];
  return (await lab.router.run(argv)).stdout.match(/ expires /g)?.length ?? 0;
}

labTest("install remembers UDP flows that a long list lets pass, and forgets them when the rules change", {
  forwarding: true,
}, async (lab) => {
  const servers = [ADDRESSES[4].server, ADDRESSES[6].server];
  const rule = { ports: [9000], to: [...FILLER, ...FILLER6, ...servers], action: "bypass" };
  // Whom servers see tells who passed: with source: router, the router or the client.
  const proxy = await startUdpProxy(lab, { rules: [rule], source: "router" });
  for (const family of [4, 6] as const) {
    const bypassed = openServer(lab, family, 9000);
    const taken = openServer(lab, family, 9001);
    const client = openClient(lab, family, 9000);
    for (let round = 0; round < 3; round++) {
      assert.equal(await exchange(client, bypassed), client.local, "the list lets it pass");
    }
    assert.equal(await countRemembered(lab, family), 1);
    const other = openClient(lab, family, 9001);
    assert.notEqual(await exchange(other, taken), other.local, "the proxy is in the path");
    assert.equal(await countRemembered(lab, family), 1, "nothing but what passes");

    // The memory decides: with the list emptied under it, the flow still passes, and no
    // other.
    await lab.router.nft(`flush set inet transparent_proxy rule0_to_ipv${family}`);
    assert.equal(await exchange(client, bypassed), client.local);
    const late = openClient(lab, family, 9000);
    assert.notEqual(await exchange(late, bypassed), late.local);

    // Another install begins anew.
    const taking = { intercept: { protocols: ["udp"] }, source: "router" };
    await tproxy(lab, [
      "install",
      "-c",
      writeConfig(lab, { ...taking, rules: [{ ...rule, to: [...FILLER, ...FILLER6] }] }),
    ]);
    assert.equal(await countRemembered(lab, family), 0);
    assert.equal(
      (await exchange(client, bypassed)).startsWith(at(ADDRESSES[family].wan, 1).replace(/:1$/, "")),
      true,
    );
    await tproxy(lab, ["install", "-c", writeConfig(lab, { ...taking, rules: [rule] })]);
    for (const socket of [bypassed, taken, client, other, late]) socket.close();
  }
  await proxy.program.stop();
});
