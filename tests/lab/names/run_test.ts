/** Rules by name as an administrator has them: a YAML file with lists, install, run, a reload. */
import assert from "node:assert/strict";
import { ADDRESSES } from "../../laboratory/lab.ts";
import { until } from "../../laboratory/machine/wait.ts";
import { startWeb, visit } from "../../laboratory/names/web.ts";
import { type ConfigText, startProxy } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { startMicrosocks } from "../../laboratory/upstreams/proxies.ts";

const PROGRAMS = ["nginx", "curl", "openssl", "microsocks"];
const SOCKS_PORT = 1080;
const SCHEMES = ["https", "http"] as const;
const FAMILIES = [4, 6] as const;

labTest("A block list of a file is watched for: the kernel forwards, the proxy relays nothing", {
  programs: PROGRAMS,
  forwarding: true,
  netlinkOnly: "rules by name are watched and asked about with nf_tables",
}, async (lab) => {
  const web = await startWeb(lab);
  const list = lab.writeFile(
    "ads.list",
    "# made by hand\n0.0.0.0 ads.example\n||tracker.example^\n@@||good.tracker.example^\n",
  );
  const rule = { name: "ads", "domains-file": list, action: "block" };
  const proxy = await startProxy(lab, { config: { rules: [rule], default: "bypass" } });
  const ends = async (names: Readonly<Record<string, "seen" | "reset">>) => {
    for (const scheme of SCHEMES) {
      for (const family of FAMILIES) {
        for (const [name, end] of Object.entries(names)) {
          assert.equal(await visit(lab, { scheme, name, family }), end, `${scheme} ${name} IPv${family}`);
          if (end === "seen") assert.equal((await web.visit()).client, ADDRESSES[family].client, name);
        }
      }
    }
  };
  await ends({
    "ads.example": "reset",
    "www.ads.example": "seen",
    "a.tracker.example": "reset",
    "good.tracker.example": "seen",
    "other.example": "seen",
  });
  // Another list, the same config: what was allowed is blocked, and the other way round.
  lab.writeFile("ads.list", "other.example\n");
  proxy.program.signal("SIGHUP");
  await until(() => /ads\.list/.test(proxy.log.split("reload").at(-1) ?? ""), {
    what: "the reload",
    timeoutMs: 5_000,
  });
  await ends({ "other.example": "reset", "ads.example": "seen" });
  proxy.program.signal("SIGTERM");
  assert.equal(await proxy.program.waitForExit(), 0);
  assert.match(proxy.log, /stopped accepted=0 /);
});

for (const admission of ["forward-path", "early"] as const) {
  labTest(`Names are blocked, go through an upstream, or direct, admission: ${admission}`, {
    programs: PROGRAMS,
    netlinkOnly: "the admission is told apart with nf_tables alone",
  }, async (lab) => {
    const web = await startWeb(lab);
    await startMicrosocks(lab, { port: SOCKS_PORT, asks: false });
    const config: ConfigText = {
      intercept: { admission },
      rules: [
        { name: "ads", domains: [".ads.example"], action: "block" },
        { name: "work", domains: ["*.office.example"], action: "proxy", upstream: "office" },
      ],
      upstreams: { office: { type: "socks5", address: `${ADDRESSES[4].server}:${SOCKS_PORT}` } },
    };
    await startProxy(lab, { config });
    for (const scheme of SCHEMES) {
      for (const family of FAMILIES) {
        const { client, server } = ADDRESSES[family];
        assert.equal(await visit(lab, { scheme, name: "x.ads.example", family }), "reset");
        for (const [name, from] of [["files.office.example", server], ["office.example", client]]) {
          assert.equal(await visit(lab, { scheme, name, family }), "seen", name);
          assert.equal((await web.visit()).client, from, `${scheme} ${name} IPv${family}`);
        }
      }
    }
  });
}
