/** Garbage of relaying datagrams: the real program, with V8 telling each collection. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { countCollections, GC_FLAGS } from "../../laboratory/machine/collections.ts";
import { runProgram } from "../../laboratory/program.ts";
import { PROXY_PORT, sourceCommand, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const SECONDS = 4;

/**
 * Datagrams that arrived. On a busy machine iperf3 may lose the connection by which its two ends agree: it is
 * asked again, twice.
 */
async function load(lab: Lab, flags: readonly string[], attempts = 3): Promise<number> {
  const argv = ["iperf3", "-J", "-u", "-b", "0", "-t", `${SECONDS}`, "-c", ADDRESSES[4].server, ...flags];
  const { stdout } = await lab.client.run(argv, { mayFail: true });
  const { error, end: { sum } } = JSON.parse(stdout);
  if (sum !== undefined) return sum.packets - sum.lost_packets;
  if (attempts === 1) throw new Error(`iperf3: ${error}`);
  return load(lab, flags, attempts - 1);
}

labTest("run makes no garbage while it relays datagrams", { programs: ["iperf3", "stdbuf"] }, async (lab) => {
  const config = writeConfig(lab, { intercept: { protocols: ["tcp", "udp"] }, listener: { workers: 1 } });
  await tproxy(lab, ["install", "-c", config]);
  // V8 writes through a buffer that would keep two dozen collections back.
  const argv = ["stdbuf", "-oL", ...sourceCommand([GC_FLAGS]), "run", "-c", config];
  const proxy = await lab.router.start(argv, { listens: PROXY_PORT });
  await proxy.waitForOutput("relays");
  await lab.server.start(["iperf3", "-s"], { listens: 5201 });
  const garbage = "for (let i = 0; i < 65_536; i++) globalThis.last = { i };";
  assert.ok(
    countCollections((await runProgram([Deno.execPath(), "eval", GC_FLAGS, garbage])).stdout) >= 1,
    "collections are not told",
  );
  for (const flags of [["-l", "64"], ["-l", "1200"], ["-R", "-l", "64"], ["-R", "-l", "1200"]]) {
    await load(lab, ["-t", "1", ...flags]); // warms up
    const before = countCollections(proxy.stdout);
    const datagrams = await load(lab, flags);
    const made = countCollections(proxy.stdout) - before;
    // An object for each datagram would make at least one in 65,536 datagrams.
    assert.ok(datagrams > 66_000, `${datagrams} datagrams`);
    assert.ok(made <= 1, `${made} collections over ${datagrams} datagrams, ${flags.join(" ")}`);
  }
});
