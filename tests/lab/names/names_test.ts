/** Names decide where flows end: real clients and servers, TLS and HTTP, both families. */
import assert from "node:assert/strict";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { startWeb, visit, type Web } from "../../laboratory/names/web.ts";
import { macOf } from "../../laboratory/network/raw_link.ts";
import { startDataplaneProgram } from "../../laboratory/proxy/dataplane.ts";
import { type ConfigText, firstPacketsAsk } from "../../laboratory/proxy/proxy.ts";
import { startDante, startMicrosocks, startTinyproxy } from "../../laboratory/upstreams/proxies.ts";
import { labTest } from "../../laboratory/register.ts";

const PORT = 1080;
const PROGRAMS = ["nginx", "curl", "openssl"];
const BLOCK = { name: "ads", domains: [".ads.example"], action: "block" };
const PROXY = { name: "work", domains: [".office.example"], action: "proxy", upstream: "office" };
const OFFICE = { type: "socks5", address: `${ADDRESSES[4].server}:${PORT}` };

/** Visits names over both schemes and families, and says where each has come from. */
async function assertEnds(
  lab: Lab,
  web: Web,
  ends: Readonly<Record<string, "client" | "upstream" | "reset">>,
): Promise<void> {
  for (const family of [4, 6] as const) {
    const own = ADDRESSES[family];
    for (const scheme of ["https", "http"] as const) {
      for (const [name, end] of Object.entries(ends)) {
        const where = `${scheme} ${name} IPv${family}`;
        assert.equal(await visit(lab, { scheme, name, family }), end === "reset" ? "reset" : "seen", where);
        if (end === "reset") continue;
        const { client, host } = await web.visit();
        assert.equal(host, name, where);
        assert.equal(client, end === "client" ? own.client : own.server, where);
      }
    }
  }
  assert.ok(web.isUnseen);
}

labTest("A name is blocked, and what else a client names goes to its own server, dialled at once", {
  programs: PROGRAMS,
}, async (lab) => {
  const web = await startWeb(lab);
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt({ rules: [BLOCK] });
  await assertEnds(lab, web, {
    "ads.example": "reset",
    "x.y.ads.example": "reset",
    "nads.example": "client",
    "allowed.example": "client",
  });
  const { counters } = await dataplane.count();
  assert.equal(counters.sniffTls, 8);
  assert.equal(counters.sniffHttp, 8);
  // What is blocked was dialled at once as well, unless its client had said its name sooner.
  if (firstPacketsAsk()) assert.equal(counters.connected, 16);
  const totals = await dataplane.totals();
  assert.ok(
    totals.some(({ rule, endings }) => rule === "ads" && endings.blocked === 4),
    JSON.stringify(totals),
  );
});

labTest("Names go through an upstream, are blocked, or go to their server, and nobody is dialled before", {
  programs: [...PROGRAMS, "microsocks"],
}, async (lab) => {
  const web = await startWeb(lab);
  await startMicrosocks(lab, { port: PORT, asks: false });
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt({ rules: [BLOCK, PROXY], upstreams: { office: OFFICE } });
  await assertEnds(lab, web, {
    "ads.example": "reset",
    "office.example": "upstream",
    "files.office.example": "upstream",
    "allowed.example": "client",
  });
  const { counters } = await dataplane.count();
  assert.equal(counters.connected, 12);
});

labTest("A default that goes through an upstream leaves out the names that go direct", {
  programs: [...PROGRAMS, "microsocks"],
}, async (lab) => {
  const web = await startWeb(lab);
  await startMicrosocks(lab, { port: PORT, asks: false });
  const dataplane = await startDataplaneProgram(lab);
  await dataplane.adopt({
    rules: [{ name: "near", domains: [".near.example"], action: "direct" }],
    default: "proxy",
    "default-upstream": "office",
    upstreams: { office: OFFICE },
  });
  await assertEnds(lab, web, { "www.near.example": "client", "www.far.example": "upstream" });
});

labTest("Behind a masquerading router a flow whose name was read comes from the router", {
  programs: [...PROGRAMS, "microsocks"],
  masquerade: true,
}, async (lab) => {
  const web = await startWeb(lab);
  await startMicrosocks(lab, { port: PORT, asks: false });
  const dataplane = await startDataplaneProgram(lab, { source: "router" });
  for (const rules of [[BLOCK], [BLOCK, PROXY]]) {
    await dataplane.adopt({ rules, upstreams: { office: OFFICE }, source: "router" });
    for (const scheme of ["https", "http"] as const) {
      for (const family of [4, 6] as const) {
        assert.equal(await visit(lab, { scheme, name: "allowed.example", family }), "seen");
        assert.equal((await web.visit()).client, ADDRESSES[family].wan);
      }
    }
  }
  // A forwarded flow comes from the router too.
  const { counters } = await dataplane.count();
  assert.deepEqual([counters.sniffTls, counters.sniffHttp], [4, 4]);
});

/** The rules of one client's device, known by its interface or its hardware address. */
function rulesOf(conditions: ConfigText): ConfigText {
  return {
    rules: [{ ...PROXY, name: "device", ...conditions }],
    upstreams: { office: OFFICE },
  };
}

labTest("Rules with names may ask for an interface and a hardware address too", {
  programs: [...PROGRAMS, "microsocks"],
}, async (lab) => {
  const web = await startWeb(lab);
  await startMicrosocks(lab, { port: PORT, asks: false });
  const dataplane = await startDataplaneProgram(lab);
  const mac = macOf(lab.client, "c0");
  for (
    const [conditions, end] of [
      [{ interfaces: ["r0"] }, "upstream"],
      [{ interfaces: ["r1"] }, "client"],
      [{ mac: [mac] }, "upstream"],
      [{ mac: ["02:00:00:00:00:01"] }, "client"],
      [{ mac: [mac], interfaces: ["r0"] }, "upstream"],
    ] as const
  ) {
    await dataplane.adopt(rulesOf(conditions));
    await assertEnds(lab, web, { "a.office.example": end, "allowed.example": "client" });
  }
});

for (
  const [kind, program, start, upstream] of [
    ["Dante", "danted", startDante, { type: "socks5" }],
    ["tinyproxy", "tinyproxy", startTinyproxy, { type: "http-connect" }],
  ] as const
) {
  labTest(`An upstream is told the name where that is asked for: ${kind} looks it up`, {
    programs: [...PROGRAMS, program],
  }, async (lab) => {
    const web = await startWeb(lab);
    const other = "203.0.113.3";
    await lab.server.ip(`addr add ${other}/24 dev s0`);
    const hosts = lab.writeFile("hosts", `${other} files.office.example\n`);
    await start(lab, { port: PORT, asks: false, hosts });
    const dataplane = await startDataplaneProgram(lab);
    const office = { ...upstream, address: OFFICE.address };
    for (const [send, server] of [["name", other], ["address", ADDRESSES[4].server]] as const) {
      await dataplane.adopt({
        rules: [{ name: "all", action: "proxy", upstream: "office" }],
        upstreams: { office: { ...office, send } },
      });
      // No rule asks for a name here, but the upstream does.
      assert.equal(await visit(lab, { scheme: "https", name: "files.office.example", family: 4 }), "seen");
      assert.equal((await web.visit()).server, server);
      await dataplane.adopt({ rules: [PROXY], upstreams: { office: { ...office, send } } });
      for (const scheme of ["https", "http"] as const) {
        assert.equal(await visit(lab, { scheme, name: "files.office.example", family: 4 }), "seen");
        assert.equal((await web.visit()).server, server, `${scheme}, send: ${send}`);
      }
    }
  });
}
