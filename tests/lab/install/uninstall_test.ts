/**
 * `tproxy uninstall` leaves the kernel byte for byte as it was before the install, among other programs'
 * objects.
 */
import assert from "node:assert/strict";
import { labBackend, usesIptables } from "../../laboratory/proxy/backend.ts";
import { iptablesProgram } from "../../laboratory/programs/iptables.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { type ConfigText, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";

/** Adds objects of Docker, a VPN, mwan3 and an administrator; some of them look like ours. */
async function addForeignObjects(lab: Lab): Promise<void> {
  // iptables-nft cannot read such a rule in a table of its own.
  const mangle = usesIptables() && labBackend().variant !== "legacy" ? "mangling" : "mangle";
  await lab.router.nft(`
    table ip nat {
      map published { type inet_service : ipv4_addr . inet_service; elements = { 8080 : 172.17.0.2 . 80 } }
      chain DOCKER { }
      chain PREROUTING { type nat hook prerouting priority dstnat; fib daddr type local counter jump DOCKER; }
      chain POSTROUTING { type nat hook postrouting priority srcnat; oifname "r1" masquerade; }
    }
    table ip6 ${mangle} { chain PREROUTING { type filter hook prerouting priority mangle; meta mark set meta mark | 0x1; }; }
    table inet fw {
      set lan { type ifname; elements = { "r0", "wg0" } }
      set blocked { type ipv4_addr; flags interval; elements = { 198.51.100.0/24 } }
      chain divert { ip saddr @blocked drop; iifname @lan accept; }
    }
    table ip transparent_proxy { chain divert { }; }
  `);
  await lab.router.ip(`
    rule add priority 500 fwmark 0x1/0x1 iif r0 lookup 100
    rule add priority 500 fwmark 0x1/0x1 iif r0 lookup 100 protocol 99
    rule add priority 501 fwmark 0x1/0x1 lookup 100 protocol 50
    rule add priority 5210 fwmark 0x80000/0xff0000 lookup 52
    route add default via ${ADDRESSES[4].server} table 52 protocol 50
    route add local 198.18.0.0/15 dev lo table 53 protocol 50
  `);
  await lab.router.ip(
    `
    rule add priority 500 fwmark 0x1/0x1 iif r1 lookup 100
    route add local 2001:db8:99::/64 dev lo table 100
  `,
    { family: 6 },
  );
}

const CONFIGS: Readonly<Record<string, ConfigText>> = {
  "the laboratory's config": {},
  "another mark, table and ports": {
    intercept: { interfaces: ["r0", "r1"], protocols: ["tcp", "udp"], ports: [80, "1000-2000"] },
    kernel: { mark: 0x30, table: 70000 },
  },
};

for (const [name, config] of Object.entries(CONFIGS)) {
  labTest(
    `uninstall restores a router full of other programs' objects: ${name}`,
    { masquerade: true },
    async (lab) => {
      await addForeignObjects(lab);
      const before = await snapshotKernel(lab.router);
      const path = writeConfig(lab, config);
      await tproxy(lab, ["install", "-c", path]);
      await tproxy(lab, ["status", "-c", path]);
      assert.notEqual(await snapshotKernel(lab.router), before);
      await tproxy(lab, ["uninstall"]);
      assert.equal(await snapshotKernel(lab.router), before);
    },
  );
}

labTest("uninstall says so when nothing is installed", {}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const { stdout } = await tproxy(lab, ["uninstall"]);
  assert.equal(stdout, "Nothing is installed.\n");
  assert.equal(await snapshotKernel(lab.router), before);
});

function damageIptables(): string[][] {
  const [ipv4, ipv6] = [iptablesProgram(4), iptablesProgram(6)];
  return [
    [ipv4, "-t", "raw", "-D", "PREROUTING", "-j", "TPROXY_DIVERT"],
    [ipv4, "-t", "mangle", "-F", "PREROUTING"],
    [ipv6, "-t", "raw", "-F", "TPROXY_INTERCEPT"],
    [ipv6, "-t", "mangle", "-F", "TPROXY_STEER"],
  ];
}

labTest("uninstall removes what is left of an install", {}, async (lab) => {
  const before = await snapshotKernel(lab.router);
  const path = writeConfig(lab);
  const damages = [
    ...(usesIptables() ? damageIptables() : [["nft", "delete", "table", "inet", "transparent_proxy"]]),
    ...(labBackend().variant === "legacy" ? [] : [["nft", "flush", "ruleset"]]),
    ["ip", "rule", "del", "priority", "500"],
    ["ip", "-6", "route", "flush", "table", "100"],
    ["ip", "route", "flush", "table", "100"],
  ];
  for (const damage of damages) {
    const ruleset = (await lab.router.run(["nft", "list", "ruleset"])).stdout;
    await tproxy(lab, ["install", "-c", path]);
    await lab.router.run(damage);
    const status = await tproxy(lab, ["status", "-c", path], { mayFail: true });
    assert.equal(status.code, 1);
    assert.match(status.stdout, /^missing /m);
    await tproxy(lab, ["uninstall"]);
    if (damage.includes("ruleset")) await lab.router.nft(ruleset);
    assert.equal(await snapshotKernel(lab.router), before, damage.join(" "));
  }
});

labTest("install and uninstall leave alone a table of our name that someone else made", {
  netlinkOnly: "iptables_install_test.ts does this with chains",
}, async (lab) => {
  await lab.router.nft("table inet transparent_proxy { chain mine { accept; }; }");
  const before = await snapshotKernel(lab.router);
  const install = await tproxy(lab, ["install", "-c", writeConfig(lab)], { mayFail: true });
  assert.equal(install.code, 1);
  assert.match(install.stderr, /a table of this name is there that tproxy did not make/);
  assert.equal(await snapshotKernel(lab.router), before);
  const status = await tproxy(lab, ["status", "-c", writeConfig(lab)], { mayFail: true });
  assert.match(status.stdout, /^foreign +table /m);
  const uninstall = await tproxy(lab, ["uninstall"]);
  assert.match(uninstall.stderr, /it is left alone/);
  assert.equal(await snapshotKernel(lab.router), before);
});

labTest("install refuses a routing table that another program uses", {}, async (lab) => {
  await lab.router.ip(`route add default via ${ADDRESSES[4].server} table 100`);
  const before = await snapshotKernel(lab.router);
  const refused = await tproxy(lab, ["install", "-c", writeConfig(lab)], { mayFail: true });
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /routing table "100": another program has a route to default in it.*kernel\.table/,
  );
  assert.equal(await snapshotKernel(lab.router), before);
  await tproxy(lab, ["install", "-c", writeConfig(lab, { kernel: { table: 101 } })]);
  await tproxy(lab, ["uninstall"]);
  assert.equal(await snapshotKernel(lab.router), before);
});

labTest(
  "install uses another program's route that does the same, and uninstall leaves it",
  {},
  async (lab) => {
    await lab.router.ip("route add local default dev lo table 100");
    const before = await snapshotKernel(lab.router);
    const path = writeConfig(lab);
    await tproxy(lab, ["install", "-c", path]);
    await tproxy(lab, ["status", "-c", path]);
    await tproxy(lab, ["uninstall"]);
    assert.equal(await snapshotKernel(lab.router), before);
  },
);
