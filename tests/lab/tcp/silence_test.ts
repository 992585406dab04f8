/** Silent connections, which live as long as they would behind NAT. */
import assert from "node:assert/strict";
import { delay } from "../../laboratory/machine/wait.ts";
import { listSockets } from "../../laboratory/network/sockets.ts";
import { startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "ss"];
/** More than the minute after which a silent half-closed connection was reset once. */
const SILENCE_MS = 64_000;

labTest(
  "run: a half-closed connection gets an answer that takes a minute",
  { programs: PROGRAMS },
  async (lab) => {
    const listener = "TCP4-LISTEN:7000,reuseaddr";
    await lab.server.start(["socat", "-t90", listener, "SYSTEM:cat >/dev/null; sleep 64; echo late"], {
      listens: 7000,
    });
    await startProxy(lab);
    const client = await lab.client.start(["socat", "-dd", "-t90", "-", "TCP4:203.0.113.2:7000"]);
    await client.write("question");
    await client.closeInput();
    await delay(SILENCE_MS - 2_000);
    // Both are asked more often now than an open connection's: one of them may have gone for good.
    for (const filter of ["state connected dport = 7000", "state connected sport = 7000"]) {
      const [line, ...rest] = await listSockets(lab.router, filter, ["-o"]);
      assert.deepEqual(rest, []);
      assert.match(line, /timer:\(keepalive,(8|9)min/);
    }
    await client.waitForOutput("late", { timeoutMs: 10_000 });
  },
);

labTest("run: a connection goes on that conntrack has forgotten, and the server speaks first", {
  programs: [...PROGRAMS, "conntrack"],
}, async (lab) => {
  const answer = "SYSTEM:read word; echo at once; sleep 2; echo late; cat";
  await lab.server.start(["socat", "-t90", "TCP4-LISTEN:7000,reuseaddr", answer], { listens: 7000 });
  await startProxy(lab);
  const client = await lab.client.start(["socat", "-t90", "-", "TCP4:203.0.113.2:7000"]);
  await client.write("word\n");
  await client.waitForOutput("at once");
  await lab.router.run(["conntrack", "-F"]);
  await client.waitForOutput("late");
  await client.write("more\n");
  await client.waitForOutput("more");
});
