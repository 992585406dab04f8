/** Devices have the hardware address that the kernel knows, whichever family they use. */
import assert from "node:assert/strict";
import type { ConnectionRow } from "../../../src/daemon/control/connections/row.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

labTest("connections names devices by leases and by the router's neighbours", {
  programs: ["socat", "unshare", "mount"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const { stdout } = await lab.client.run(["cat", "/sys/class/net/c0/address"]);
  const mac = stdout.trim();
  const leases = lab.writeFile("leases", `1700000000 ${mac} 10.77.1.2 anna-laptop *\n`);
  // Files of this machine stay as they are: the proxy has others in their place.
  const empty = lab.writeFile("empty", "");
  const mounts = `mount --bind ${empty} /etc/hosts; mount -t tmpfs none /var/lib/misc
    cp ${leases} /var/lib/misc/dnsmasq.leases; exec "$@"`;
  const proxy = await startProxy(lab, { wrapper: ["unshare", "--mount", "sh", "-c", mounts, "sh"] });
  for (const family of [4, 6] as const) {
    const client = await connectClient(lab, 7000, { family });
    await client.write("hello\n");
    await client.waitForOutput("hello\n");
  }
  const list = await tproxy(lab, [
    "connections",
    "--json",
    "-c",
    proxy.configPath,
    "--device",
    "anna-laptop",
  ]);
  const { connections } = JSON.parse(list.stdout) as { connections: ConnectionRow[] };
  assert.deepEqual(connections.map(({ family, device }) => `${family} ${device}`).toSorted(), [
    "ipv4 anna-laptop",
    "ipv6 anna-laptop",
  ]);
  assert.ok(connections.every((row) => row.mac === mac), JSON.stringify(connections));
});
