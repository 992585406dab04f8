/** `tproxy connections` tells of real flows, and closes some. */
import assert from "node:assert/strict";
import type { ClosedRow, ConnectionRow } from "../../../src/daemon/control/connections/row.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { connectClient, serve } from "../../laboratory/network/sockets.ts";
import { exchange, openClient, openServer, startUdpProxy } from "../../laboratory/network/udp_peers.ts";
import { controlPath, tproxy, tproxyCommand, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const { client, server } = ADDRESSES[4];
const RULES = [{ name: "echo", ports: [7000], action: "direct" }];

labTest(
  "connections lists flows of TCP and UDP by who, where to and why, and closing one resets its client",
  {
    programs: ["socat"],
  },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const proxy = await startUdpProxy(lab, { rules: RULES });
    const list = (...args: string[]) => listed(lab, proxy.configPath, ...args);
    const clients = [await connectClient(lab, 7000), await connectClient(lab, 7000, { family: 6 })];
    for (const one of clients) {
      await one.write("hello\n");
      await one.waitForOutput("hello\n");
    }
    await exchange(openClient(lab, 4, 7001), openServer(lab, 4, 7001));
    const rows = await list();
    assert.equal(rows.length, 3, JSON.stringify(rows));
    const [tcp] = rows.filter(({ protocol, family }) => protocol === "tcp" && family === "ipv4");
    const { client: from, destination, destinationPort, rule, upstream, state, bytesUp, bytesDown } = tcp;
    assert.deepEqual(
      { from, destination, destinationPort, rule, upstream, state, bytesUp, bytesDown },
      {
        from: client,
        destination: server,
        destinationPort: 7000,
        rule: "echo",
        upstream: null,
        state: "open",
        bytesUp: 6,
        bytesDown: 6,
      },
    );
    assert.ok(Math.abs(Date.now() - Date.parse(tcp.started)) < 60_000);
    const [udp] = rows.filter(({ protocol }) => protocol === "udp");
    assert.deepEqual([udp.client, udp.destinationPort, udp.rule], [client, 7001, "default"]);
    const counts: readonly [args: string, count: number][] = [
      [`--from ${client}`, 2],
      ["--to :7000 --rule echo --state open", 2],
      ["--top 2 --sort client", 2],
    ];
    for (const [args, count] of counts) assert.equal((await list(...args.split(" "))).length, count, args);
    const table = await tproxy(lab, ["connections", "-c", proxy.configPath, "--rule", "echo"]);
    assert.match(
      table.stdout,
      new RegExp(`^tcp4 +${client}:\\d+ +${server}:7000 +echo +direct +open .* ${tcp.id}$`, "m"),
    );
    // It is not done without being asked, and then to the one alone.
    const close = (...args: string[]) =>
      tproxy(lab, ["connections", "close", "-c", proxy.configPath, ...args], { mayFail: true });
    assert.deepEqual((await close(tcp.id)).code, 2, "nobody can be asked here");
    assert.deepEqual((await close()).code, 2, "everything");
    assert.equal((await close("t0.9999.1", "--yes")).code, 1);
    assert.equal((await list()).length, 3);
    const closed = await close(tcp.id, "--yes");
    assert.deepEqual([closed.code, closed.stdout], [0, "Closed 1 connection.\n"]);
    await until(() => clients[0].stderr.includes("Connection reset by peer"), { what: "the reset" });
    await until(async () => (await list()).length === 2, { what: "its row to go" });
    await clients[1].write("still\n");
    await clients[1].waitForOutput("still\n");
    assert.equal((await close("--to", ":7001", "--yes")).code, 0);
    await until(async () => (await list("--to", ":7001")).length === 0, { what: "the UDP session to go" });
  },
);

labTest("connections --follow tells of flows that open and close, and of those that never were open", {
  programs: ["socat"],
}, async (lab) => {
  await serve(lab, 7000, "cat");
  const proxy = await startUdpProxy(lab, { rules: RULES, log: { access: "on" } });
  const before = await connectClient(lab, 7000);
  await before.write("one\n");
  await before.waitForOutput("one\n");
  const words = [...tproxyCommand(), "connections", "--follow", "-c", proxy.configPath, "--from", client];
  const follower = await lab.router.start(words);
  const events = (event: string, port: number) =>
    follower.stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line) as ClosedRow & { event: string })
      .filter((row) => row.event === event && row.destinationPort === port);
  // It has begun when it tells of something.
  const peer = openServer(lab, 4, 7001);
  await until(async () => {
    await exchange(openClient(lab, 4, 7001), peer);
    return events("open", 7001).length > 0;
  }, { what: "the begin", pollMs: 500 });
  const during = await connectClient(lab, 7000);
  await during.write("hello\n");
  await during.waitForOutput("hello\n");
  await until(() => events("open", 7000).length === 1, { what: "the opening" });
  await during.stop();
  await before.stop();
  await connectClient(lab, 7009); // where nobody listens
  await until(() => events("close", 7000).length === 2, { what: "both ends" });
  await until(() => events("close", 7009).length === 1, { what: "the refusal" });
  const [{ id }] = events("open", 7000);
  const closed = events("close", 7000).find((row) => row.id === id)!;
  assert.deepEqual([closed.state, closed.rule, closed.bytesUp, closed.bytesDown], ["closed", "echo", 6, 6]);
  assert.ok(Date.parse(closed.ended) >= Date.parse(closed.started));
  assert.deepEqual(events("close", 7009).map(({ ending, name }) => [ending, name]), [["refused", null]]);
  assert.equal(events("open", 7009).length, 0);
  // Who writes the access log has had them too.
  await until(() => (proxy.log.match(/ flow protocol=tcp /g) ?? []).length === 3, { what: "the access log" });
  await proxy.program.stop();
  assert.equal(await follower.waitForExit({ timeoutMs: 10_000 }), 1, follower.stderr);
});

labTest(
  "connections without a proxy that answers has the exit code 3, and says where it has asked",
  {},
  async (lab) => {
    const path = writeConfig(lab);
    const none = await tproxy(lab, ["connections", "-c", path], { mayFail: true });
    assert.equal(none.code, 3);
    assert.match(none.stderr, new RegExp(`no proxy answers at ${controlPath(lab)}`));
    const off = await tproxy(lab, ["connections", "-c", writeConfig(lab, { control: "off" })], {
      mayFail: true,
    });
    assert.equal(off.code, 3);
    assert.match(off.stderr, /control is off/);
  },
);

async function listed(lab: Lab, config: string, ...args: string[]): Promise<ConnectionRow[]> {
  const { stdout } = await tproxy(lab, ["connections", "--json", "-c", config, ...args]);
  return (JSON.parse(stdout) as { connections: ConnectionRow[] }).connections;
}
