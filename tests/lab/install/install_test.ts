/** Work of `tproxy install` on the kernel, judged by nft, ip and real packets. No proxy runs here. */
import assert from "node:assert/strict";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { listOurRules } from "../../laboratory/programs/iptables.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import type { Namespace } from "../../laboratory/namespace.ts";
import { type ConfigText, tproxy, writeConfig } from "../../laboratory/proxy/proxy.ts";
import { labTest } from "../../laboratory/register.ts";
import { snapshotKernel } from "../../laboratory/network/snapshot.ts";
import { connectClient, serve, socatServer } from "../../laboratory/network/sockets.ts";

/** Everything that tells two kernel states apart, registers and handles included. */
async function readState(router: Namespace): Promise<string> {
  const bytecode = (await router.run(["nft", "--debug=netlink", "list", "ruleset"])).stdout;
  return `${await snapshotKernel(router)}\n${sortElements(bytecode)}`;
}

/** The kernel lists the elements of a hash set in the order of a random seed. */
function sortElements(text: string): string {
  return text.replace(/(^\telement .*\n)+/gm, (lines) => lines.split("\n").toSorted().join("\n"));
}

/** Only the lines that differ are worth reading. */
function assertSame(actual: string, expected: string | undefined, message = ""): void {
  const only = (text = "", other = "") =>
    text.split("\n").filter((line) => !other.split("\n").includes(line));
  if (actual === expected) return;
  assert.fail(
    `${message} the state differs: added ${JSON.stringify(only(actual, expected))}, ` +
      `gone ${JSON.stringify(only(expected, actual))}`,
  );
}

function install(lab: Lab, config: ConfigText, options: { mayFail?: boolean } = {}) {
  return tproxy(lab, ["install", "-c", writeConfig(lab, config)], options);
}

const CONFIGS: Readonly<Record<string, ConfigText>> = {
  "the defaults": { intercept: { protocols: ["tcp", "udp"] } },
  "ports and reset": {
    intercept: { protocols: ["tcp", "udp"], ports: [80, 443, "8000-8100"], "on-failure": "reset" },
  },
  "one family, one protocol, drop": {
    intercept: { protocols: ["udp"], families: ["ipv6"], "on-failure": "drop" },
  },
  "rules of every kind": {
    intercept: { protocols: ["tcp", "udp"], "on-failure": "reset" },
    default: "block",
    rules: [
      { to: ["10.0.0.0/8", "10.0.0.0/9", "172.16.0.0/12", "fc00::/7", "255.255.255.255"], action: "bypass" },
      { to: ["0.0.0.0/1", "::/0"], from: ["192.0.2.1", "192.0.2.2", "192.0.2.3"], action: "direct" },
      { mac: ["02:00:5e:10:00:01", "02:00:5e:10:00:02"], in: ["r0"], protocol: "udp", action: "block" },
      { ports: [80, "8000-8100", "60000-65535"], protocol: "tcp", action: "deliver", "deliver-port": 3129 },
      { ports: [53], action: "deliver", "deliver-port": 5353 },
      { from: ["2001:db8::/32"], action: "block", silent: true },
    ],
  },
  "the router's own traffic": {
    kernel: { backend: "netlink" },
    intercept: { "router-traffic": true, protocols: ["tcp", "udp"], "on-failure": "reset", ports: [53, 80] },
    default: "block",
    rules: [
      { to: ["10.0.0.0/8", "fc00::/7"], action: "bypass" },
      { in: ["r0"], action: "block" },
      { ports: [80], protocol: "tcp", action: "deliver", "deliver-port": 3129 },
      { ports: [53], action: "direct" },
      { from: ["2001:db8::/32"], action: "block", silent: true },
    ],
  },
  "the router's own traffic, one family, one protocol, other numbers": {
    intercept: { "router-traffic": true, protocols: ["udp"], families: ["ipv6"] },
    kernel: { mark: 0x100, table: 1234 },
  },
  "flows taken early": {
    intercept: { admission: "early", protocols: ["tcp", "udp"], "on-failure": "reset" },
    rules: [{ ports: [53], action: "deliver", "deliver-port": 5353 }],
  },
  "the router's own traffic, taken early": {
    kernel: { backend: "netlink" },
    intercept: { admission: "early", "router-traffic": true, protocols: ["tcp", "udp"] },
  },
  "other numbers": {
    intercept: { interfaces: ["r0", "r1"] },
    listener: { port: 8899 },
    kernel: { mark: 0x100, table: 1234 },
  },
};

const OTHERWISE = {
  netlinkOnly: "iptables_install_test.ts does this as iptables can: it numbers and counts rules",
};

for (const [name, config] of Object.entries(CONFIGS)) {
  labTest(
    `install gives the kernel the state that its --dry-run script gives it: ${name}`,
    OTHERWISE,
    async (lab) => {
      const path = writeConfig(lab, config);
      const { stdout } = await tproxy(lab, ["install", "--dry-run", "-c", path]);
      const script = lab.writeFile("rules.sh", stdout);
      const before = await readState(lab.router);
      await lab.router.run(["sh", script]);
      const byScript = await readState(lab.router);
      assert.notEqual(byScript, before);
      await lab.router.run(["sh", script]);
      assertSame(await readState(lab.router), byScript, "the script is not idempotent");
      await tproxy(lab, ["status", "-c", path]);
      await tproxy(lab, ["uninstall"]);
      assertSame(await readState(lab.router), before);
      await tproxy(lab, ["install", "-c", path]);
      assertSame(await readState(lab.router), byScript);
    },
  );
}

labTest(
  "install twice is install once, and another config leaves nothing of the first",
  OTHERWISE,
  async (lab) => {
    const states = new Map<ConfigText, string>();
    const configs = Object.values(CONFIGS);
    for (const config of configs) {
      await install(lab, config);
      states.set(config, await readState(lab.router));
      await tproxy(lab, ["uninstall"]);
    }
    for (const config of [...configs, ...configs.toReversed()]) {
      await install(lab, config);
      assertSame(await readState(lab.router), states.get(config));
    }
  },
);

labTest("install chooses the interfaces that hold no default route", {}, async (lab) => {
  await lab.router.ip(`route add default via ${ADDRESSES[4].server}`);
  const { stdout } = await install(lab, { intercept: { interfaces: "auto" } });
  assert.match(stdout, /interfaces +r0 \(not on: r1\)/);
  assert.match(
    await listOurRules(lab),
    usesIptables() ? /^-A TPROXY_DIVERT ! -i r0 -j RETURN$/m : /iifname != "r0" return/,
  );
  // Several next hops make the other one upstream as well.
  await lab.router.ip(
    `route replace default nexthop via ${ADDRESSES[4].server} nexthop via ${ADDRESSES[4].client}`,
  );
  const none = await install(lab, { intercept: { interfaces: "auto" } }, { mayFail: true });
  assert.equal(none.code, 1);
  assert.match(
    none.stderr,
    /every interface holds a default route \((r0, r1|r1, r0)\)/,
  );
  assert.match(none.stderr, /intercept: \{ interfaces: /);
});

labTest(
  "install cuts no flow that exists, in either direction",
  { forwarding: true, programs: ["socat"] },
  async (lab) => {
    await serve(lab, 7000, "cat");
    const flows = [
      await connectClient(lab, 7000, { family: 4 }),
      await connectClient(lab, 7000, { family: 6 }),
    ];
    const echo = async (text: string) => {
      for (const flow of flows) {
        await flow.write(`${text}\n`);
        await flow.waitForOutput(`${text}\n`);
      }
    };
    await echo("before");
    await install(lab, { intercept: { "on-failure": "drop", protocols: ["tcp", "udp"] } });
    await echo("installed");
    const blocked = await lab.client.run(["socat", "-T1", "-", `${socatServer(4, 7000)},connect-timeout=1`], {
      mayFail: true,
    });
    assert.notEqual(blocked.code, 0, "a new flow is not stopped, so the test proves nothing");
    await tproxy(lab, ["uninstall"]);
    await echo("uninstalled");
  },
);

labTest("install with no proxy running forwards new flows: on-failure open", {
  forwarding: true,
  programs: ["socat"],
}, async (lab) => {
  await serve(lab, 7000, "echo hello");
  const { stderr } = await install(lab, {});
  assert.match(stderr, /No proxy is running yet.*new flows are forwarded/);
  for (const family of [4, 6] as const) {
    const { stdout } = await lab.client.run(["socat", "-u", socatServer(family, 7000), "-"]);
    assert.equal(stdout, "hello\n");
  }
});

labTest("install resets TCP and refuses UDP with on-failure reset", {
  forwarding: true,
  programs: ["socat"],
}, async (lab) => {
  await serve(lab, 7000, "echo hello");
  await install(lab, { intercept: { protocols: ["tcp", "udp"], "on-failure": "reset", ports: [7000] } });
  for (const family of [4, 6] as const) {
    const tcp = await lab.client.run(["socat", "-u", socatServer(family, 7000), "-"], { mayFail: true });
    assert.match(tcp.stderr, /Connection refused/);
    // Two datagrams: the ICMP error about the first is told to whoever sends the second.
    const udp = await lab.client.run([
      "sh",
      "-c",
      `(echo 1; sleep 0.2; echo 2) | socat -t1 - ${socatServer(family, 7000).replace("TCP", "UDP")}`,
    ], { mayFail: true });
    assert.match(udp.stderr, /Connection refused/);
  }
});

labTest("install leaves alone other ports and the router's own services", {
  forwarding: true,
  programs: ["socat"],
}, async (lab) => {
  await serve(lab, 7001, "echo server");
  const listener = "TCP6-LISTEN:22,ipv6only=0,fork,reuseaddr";
  await lab.router.start(["socat", listener, "SYSTEM:echo router"], { listens: 22 });
  await install(lab, { intercept: { "on-failure": "reset", ports: [22, 7000] } });
  for (const family of [4, 6] as const) {
    const other = await lab.client.run(["socat", "-u", socatServer(family, 7001), "-"]);
    assert.equal(other.stdout, "server\n");
    const address = family === 4 ? `TCP4:${ADDRESSES[4].lan}:22` : `TCP6:[${ADDRESSES[6].wan}]:22`;
    const own = await lab.client.run(["socat", "-u", address, "-"]);
    assert.equal(own.stdout, "router\n");
  }
});

labTest("install on a machine with IPv6 disabled does IPv4 with a warning", {}, async (lab) => {
  // On lo alone first: that is where the route is.
  await lab.router.writeSysctl({ "net.ipv6.conf.lo.disable_ipv6": 1 });
  assert.match((await install(lab, {})).stderr, /Only IPv4 is intercepted: IPv6 is disabled/);
  await tproxy(lab, ["uninstall"]);
  await lab.router.writeSysctl({ "net.ipv6.conf.all.disable_ipv6": 1 });
  const before = await snapshotKernel(lab.router);
  const { stderr } = await install(lab, {});
  assert.match(stderr, /Only IPv4 is intercepted: IPv6 is disabled/);
  const rules = await listOurRules(lab);
  assert.match(rules, /tproxy/i);
  assert.doesNotMatch(rules, /tproxy ip6|-on-ip ::1/);
  await tproxy(lab, ["uninstall"]);
  assert.equal(await snapshotKernel(lab.router), before);
  const named = await install(lab, { intercept: { families: ["ipv4", "ipv6"] } }, { mayFail: true });
  assert.equal(named.code, 1);
  assert.match(named.stderr, /Cannot intercept "ipv6": IPv6 is disabled/);
  assert.equal(await snapshotKernel(lab.router), before);
});
