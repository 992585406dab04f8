/** Flows through real proxies: both families, with and without credentials, and what proxies refuse. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { type Attempt, attempt } from "../../laboratory/network/dial.ts";
import { serve } from "../../laboratory/network/sockets.ts";
import type { Program } from "../../laboratory/program.ts";
import {
  PASSWORD,
  type ProxyOptions,
  startDante,
  startMicrosocks,
  startSquid,
  startTinyproxy,
  startV2ray,
} from "../../laboratory/upstreams/proxies.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { firstPacketsAsk } from "../../laboratory/proxy/proxy.ts";
import { through } from "../../laboratory/upstreams/through.ts";
import { labTest } from "../../laboratory/register.ts";

const PROGRAMS = ["socat", "python3"];
const PORT = 1080;

/** A client is refused as a server refuses; one that is accepted before anybody is dialled, is reset. */
function assertRefused({ told, heard }: Attempt, by = "Connection refused"): void {
  const expected = firstPacketsAsk() ? [by, ""] : ["connected", "Connection reset by peer\n"];
  assert.deepEqual([told, heard], expected);
}

interface Kind {
  readonly name: string;
  readonly program: string;
  readonly type: "socks5" | "http-connect";
  readonly port?: number;
  /** Tells that it can ask for credentials. */
  readonly asks: boolean;
  /** Tells that it refuses destination port 7999 by its rules. */
  readonly hasRules?: boolean;
  start(lab: Lab, options: ProxyOptions): Promise<Program>;
}

const KINDS: readonly Kind[] = [
  { name: "microsocks", program: "microsocks", type: "socks5", asks: true, start: startMicrosocks },
  { name: "Dante", program: "danted", type: "socks5", asks: false, start: startDante },
  { name: "V2Ray's SOCKS", program: "v2ray", type: "socks5", asks: true, start: startV2ray },
  {
    name: "V2Ray's HTTP",
    program: "v2ray",
    type: "http-connect",
    asks: true,
    port: PORT + 1,
    start: startV2ray,
  },
  {
    name: "tinyproxy",
    program: "tinyproxy",
    type: "http-connect",
    asks: true,
    hasRules: true,
    start: startTinyproxy,
  },
  { name: "Squid", program: "squid", type: "http-connect", asks: true, hasRules: true, start: startSquid },
];

/** Serves a line that tells whom the server sees, before the client has said anything. */
function serveSeen(lab: Lab): Promise<Program> {
  return serve(lab, 7000, "echo seen $SOCAT_PEERADDR");
}

for (const kind of KINDS) {
  for (const asks of kind.asks ? [false, true] : [false]) {
    const credentials = asks ? "with credentials" : "without credentials";
    labTest(`A flow goes through ${kind.name} ${credentials}, over both families and to both`, {
      programs: [...PROGRAMS, kind.program],
    }, async (lab) => {
      await serveSeen(lab);
      await kind.start(lab, { port: PORT, asks });
      const dataplane = await startDataplaneProgram(lab);
      const upstream = { type: kind.type, port: kind.port ?? PORT, ...asks ? { password: PASSWORD } : {} };
      for (const proxy of [4, 6] as const) {
        await dataplane.adopt(through(lab, { ...upstream, family: proxy }));
        for (const family of [4, 6] as const) {
          const { told, heard } = await attempt(lab, { family, port: 7000 });
          const where = `IPv${family} through a proxy at IPv${proxy}`;
          assert.equal(told, "connected", where);
          assert.match(heard, /^seen /, where);
          assert.ok(!heard.includes(ADDRESSES[family].client), `the server saw the client: ${where}`);
        }
      }
      // Nobody listens there.
      for (const family of [4, 6] as const) {
        // V2Ray says that a tunnel stands before it has dialled.
        if (kind.program === "v2ray") continue;
        assertRefused(await attempt(lab, { family, port: 7001 }));
      }
      if (kind.hasRules) {
        assertRefused(await attempt(lab, { port: 7999 }), "No route to host"); // administratively prohibited
      }
      if (!asks) return;
      await dataplane.adopt(through(lab, { ...upstream, password: "wrong" }));
      assertRefused(await attempt(lab, { port: 7000 }));
      await dataplane.program.waitForOutput(/refuses us as configured.*upstream=office/);
      const { password: _, ...nobody } = { password: "", ...upstream };
      await dataplane.adopt(through(lab, nobody));
      assertRefused(await attempt(lab, { port: 7000 }));
      assert.ok(!/sesame|wrong/.test(dataplane.program.stderr), "a secret is in the log");
    });
  }
}

labTest("An upstream that is dead refuses, and nothing goes direct", { programs: PROGRAMS }, async (lab) => {
  await serveSeen(lab);
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt(through(lab, { type: "socks5", port: PORT }));
  for (const family of [4, 6] as const) {
    const refused = await attempt(lab, { family, port: 7000 });
    assertRefused(refused);
    assert.ok(refused.ms < 500, `after ${refused.ms} ms`);
  }
  assert.match(dataplane.program.stderr, /an upstream has failed.*upstream=office.*ECONNREFUSED/);
});

labTest(
  "An upstream that is silent refuses when timeouts.connect is over",
  { programs: PROGRAMS },
  async (lab) => {
    await serveSeen(lab);
    await lab.server.nft(`table inet silent {
    chain input { type filter hook input priority 0; tcp dport ${PORT} drop; }
  }`);
    const dataplane = await startDataplaneProgram(lab);
    await dataplane.adopt({ ...through(lab, { type: "socks5", port: PORT }), timeouts: { connect: "1s" } });
    const refused = await attempt(lab, { port: 7000, seconds: 5 });
    assertRefused(refused);
    if (firstPacketsAsk()) assert.ok(refused.ms > 800 && refused.ms < 2000, `after ${refused.ms} ms`);
    assert.match(dataplane.program.stderr, /an upstream has failed.*upstream=office.*ETIMEDOUT/);
  },
);
