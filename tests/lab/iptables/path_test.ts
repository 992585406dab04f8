/**
 * The way of packets with `kernel.backend: iptables`: NAT, what conntrack sees, a proxy that dies or ends.
 */
import assert from "node:assert/strict";
import { startCapture } from "../../laboratory/network/capture.ts";
import { iptables, IPTABLES_VARIANTS, iptablesOnly, obstacleOf } from "../../laboratory/programs/iptables.ts";
import { ADDRESSES, type Lab, type LabOptions } from "../../laboratory/lab.ts";
import { type Nginx, startNginx } from "../../laboratory/programs/nginx.ts";
import { type ConfigText, type Proxy, startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { countDescriptorKinds, listChildren } from "../../laboratory/machine/procfs.ts";
import { prepareRecipe, PROXY_RUNS } from "../../laboratory/proxy/recipe.ts";
import { keepFromMending } from "../../laboratory/proxy/mending.ts";
import { labTest } from "../../laboratory/register.ts";
import { exchange, fateOf, openClient, openServer } from "../../laboratory/network/udp_peers.ts";
import { at } from "../../laboratory/network/udp_socket.ts";
import { delay, until } from "../../laboratory/machine/wait.ts";

const PROGRAMS = ["curl", "nginx", "tcpdump", "conntrack", "iptables", "socat"];
const FAMILIES = [4, 6] as const;
/** curl's exit codes. */
const FORWARDED = 0;
const REFUSED = 7;
const TIMED_OUT = 28;

type Start = (config?: ConfigText) => Promise<Proxy>;

function pathTest(
  name: string,
  options: LabOptions,
  test: (lab: Lab, box: { start: Start; variant: "nft" | "legacy" }) => Promise<void>,
): void {
  for (const variant of IPTABLES_VARIANTS) {
    labTest(
      `${name}, iptables-${variant}`,
      { programs: PROGRAMS, ...options, ...obstacleOf(variant) },
      (lab) => {
        const start: Start = ({ intercept, ...rest } = {}) =>
          startProxy(lab, {
            config: {
              intercept: { protocols: ["tcp", "udp"], ...intercept as ConfigText | undefined },
              kernel: { backend: "iptables" },
              ...rest,
            },
            ...iptablesOnly(lab, variant),
          });
        return test(lab, { start, variant });
      },
    );
  }
}

pathTest(
  "run leaks no private address behind masquerade",
  { masquerade: true, tailscaleSysctls: true },
  async (lab, { variant }) => {
    const leaks = await startCapture(lab.server, {
      link: "s0",
      filter: `host ${ADDRESSES[4].client} or host ${ADDRESSES[6].client}`,
    });
    const nginx = await startNginx(lab);
    // The README's recipe.
    const recipe = await prepareRecipe(lab, "iptables");
    const env = iptablesOnly(lab, variant);
    await recipe.run("rules", env);
    assert.match(Deno.readTextFileSync(recipe.path("rules.sh")), /^\} \| ip6tables-restore /m);
    await (await recipe.start(env)).waitForOutput(PROXY_RUNS, { timeoutMs: 30_000 });
    for (const family of FAMILIES) {
      const { wan, server: address } = ADDRESSES[family];
      const { stdout } = await lab.client.run(["curl", "-sSfm5", "-w", "%{local_port}", nginx.url(family)]);
      const port = Number(stdout.replace("hello\n", ""));
      const { client, clientPort } = await nginx.waitForAccess(family);
      assert.deepEqual([client, clientPort], [wan, port]);
      const server = openServer(lab, family);
      const peer = openClient(lab, family);
      assert.equal(await exchange(peer, server), at(wan, peer.port));
      for (const protocol of ["tcp", "udp"]) {
        const list = ["conntrack", "-L", "-p", protocol, "-d", address, "-f", `ipv${family}`];
        const flows = (await lab.router.run(list)).stdout.trim().split("\n");
        assert.equal(flows.length, 1, `the client's side is tracked as well:\n${flows.join("\n")}`);
        assert.match(flows[0], new RegExp(` dst=${wan} `));
      }
    }
    assert.deepEqual(await leaks.stop(), []);
    const { stdout } = await recipe.run("check", env);
    assert.match(stdout, /^ *[1-9]\d* .* TPROXY_STEER_|^ *[1-9]\d* .* TPROXY redirect /m);
  },
);

for (const filtering of ["address-and-port-dependent", "endpoint-independent"] as const) {
  pathTest(
    `run with udp.filtering: ${filtering} lets strangers to clients, or not`,
    {},
    async (lab, { start }) => {
      await start({ udp: { filtering } });
      const arrived = await startCapture(lab.client, { link: "c0", filter: "udp and src port 9999" });
      for (const family of FAMILIES) {
        const server = openServer(lab, family);
        const client = openClient(lab, family);
        assert.equal(await exchange(client, server), client.local);
        lab.server.udp({ family, bind: at(ADDRESSES[family].server, 9999) }).send("unasked", client.local);
      }
      await delay(300);
      assert.equal((await arrived.stop()).length, filtering === "endpoint-independent" ? 2 : 0);
    },
  );
}

pathTest(
  "install leaves alone the router's own services, broadcasts and multicasts",
  {},
  async (lab, { start }) => {
    // Intercepted packets are dropped at once.
    await start({ rules: [{ ports: ["1-65535"], action: "block", silent: true }] });
    const listener = "TCP6-LISTEN:22,ipv6only=0,fork,reuseaddr";
    await lab.router.start(["socat", listener, "SYSTEM:echo router"], { listens: 22 });
    for (const family of FAMILIES) {
      const daemon = lab.router.udp({ family, bind: family === 4 ? "0.0.0.0:7777" : "[::]:7777" });
      const { lan, wan } = ADDRESSES[family];
      for (const address of [lan, wan]) {
        const host = family === 4 ? address : `[${address}]`;
        const { stdout } = await lab.client.run([
          "socat",
          "-u",
          `TCP${family}:${host}:22,connect-timeout=2`,
          "-",
        ]);
        assert.equal(stdout, "router\n");
        lab.client.udp({ family, connect: at(address, 7777) }).send("for the router");
        assert.equal((await daemon.receive()).text, "for the router");
      }
      const everybody = family === 4
        ? "UDP4-DATAGRAM:10.77.1.255:7777,broadcast"
        : "UDP6-DATAGRAM:[ff02::1%c0]:7777";
      await lab.client.run(["socat", "-u", "-", everybody], { input: "everybody" });
      assert.equal((await daemon.receive()).text, "everybody");
      daemon.close();
    }
  },
);

async function fetchCode(lab: Lab, nginx: Nginx, family: 4 | 6, seconds = 1): Promise<number> {
  return (await lab.client.run(["curl", "-sSm", `${seconds}`, nginx.url(family)], { mayFail: true })).code;
}

const POLICIES = [["open", FORWARDED, "forwarded"], ["reset", REFUSED, "ECONNREFUSED"], [
  "drop",
  TIMED_OUT,
  "lost",
]] as const;

for (const [onFailure, expected, fate] of POLICIES) {
  pathTest(`install with on-failure: ${onFailure} decides when the proxy is killed, or ends`, {
    forwarding: true,
  }, async (lab, { start }) => {
    const nginx = await startNginx(lab);
    const config = { source: "router", intercept: { "on-failure": onFailure } };
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const proxy = await start(config);
      for (const family of FAMILIES) {
        assert.equal(await fetchCode(lab, nginx, family), FORWARDED);
        assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan, "not by the proxy");
      }
      await proxy.program.stop(signal);
      // Its entries on the lists would count for two seconds.
      if (signal === "SIGKILL" && onFailure !== "drop") await delay(300);
      for (const family of FAMILIES) {
        assert.equal(await fetchCode(lab, nginx, family), expected, `${signal}, IPv${family}`);
        if (expected === FORWARDED) {
          assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].client);
        }
        const [client, server] = [openClient(lab, family), openServer(lab, family)];
        assert.equal(await fateOf(client, server), fate, `${signal}, UDP, IPv${family}`);
        server.close();
      }
    }
  });
}

pathTest("run that is killed with the shell that would tell is believed alive for two seconds", {
  forwarding: true,
}, async (lab, { start }) => {
  const nginx = await startNginx(lab);
  const { program, pid } = await start({ intercept: { "on-failure": "reset" } });
  // The programs with which it looks at the rules come and go.
  let shell: number[] = [];
  await until(() => (shell = listChildren(pid)).length === 1, {
    what: "the shell to be the only child of the proxy",
  });
  // It holds nothing that the proxy has open: neither its listeners nor a client's connection.
  const kinds = countDescriptorKinds(shell[0]);
  assert.ok(kinds.has("pipe") && !kinds.has("socket") && !kinds.has("anon_inode"), [...kinds.keys()].join());
  await lab.router.run(["kill", "-KILL", ...shell.map(String), `${pid}`]);
  const killed = performance.now();
  await program.stop(); // until it is gone its listener takes connections, and resets them
  assert.equal(await fetchCode(lab, nginx, 4), TIMED_OUT);
  await delay(2_500 - (performance.now() - killed));
  for (const family of FAMILIES) assert.equal(await fetchCode(lab, nginx, family), REFUSED);
});

pathTest("run is found by rules that are installed while it runs, and by those of another config", {
  forwarding: true,
}, async (lab, { start, variant }) => {
  const nginx = await startNginx(lab);
  const config = { source: "router", intercept: { "on-failure": "reset" } };
  const proxy = await start(config);
  for (let i = 0; i < 3; i++) {
    await tproxy(lab, ["uninstall"], iptablesOnly(lab, variant));
    await tproxy(lab, ["install", "-c", proxy.configPath], iptablesOnly(lab, variant));
    await tproxy(lab, ["install", "-c", proxy.configPath], iptablesOnly(lab, variant));
    for (const family of FAMILIES) {
      assert.equal(await fetchCode(lab, nginx, family), FORWARDED);
      assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan, "not by the proxy");
    }
  }
});

pathTest("what is refused does not get out, though another program's rule accepts it first", {
  forwarding: true,
}, async (lab, { start, variant }) => {
  const nginx = await startNginx(lab);
  await start({ source: "router", default: "block", intercept: { "on-failure": "drop" } });
  for (const family of FAMILIES) {
    assert.equal(await fetchCode(lab, nginx, family), REFUSED);
    await iptables(lab, variant, [family === 4 ? "iptables" : "ip6tables", "-I", "FORWARD", "-j", "ACCEPT"]);
    assert.equal(await fetchCode(lab, nginx, family), TIMED_OUT);
  }
});

pathTest(
  "run's flows are not taken from it when it is busy",
  { forwarding: true },
  async (lab, { start }) => {
    const nginx = await startNginx(lab);
    await start({ source: "router", intercept: { "on-failure": "reset" } });
    const until = performance.now() + 4_000;
    // Something to do on all processors: the sign of life comes late.
    const burners = await Promise.all(
      [1, 2, 3, 4].map(() => lab.router.start(["sh", "-c", "while :; do :; done"])),
    );
    while (performance.now() < until) {
      for (const family of FAMILIES) {
        assert.equal(await fetchCode(lab, nginx, family, 5), FORWARDED);
        assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan);
      }
    }
    for (const burner of burners) await burner.stop("SIGKILL");
  },
);

pathTest("run's answers behind masquerade are found where the match socket does not undo the NAT of IPv6", {
  masquerade: true,
}, async (lab, { start, variant }) => {
  const nginx = await startNginx(lab);
  const { program } = await start({ intercept: { "on-failure": "open" } });
  const { wan, client } = ADDRESSES[6];
  const replies = ["ip6tables", "-t", "mangle"];
  await keepFromMending(lab);
  // As kernels before 6.15 do: the match finds nothing.
  for (const protocol of ["tcp -m socket", "udp -m conntrack --ctstate RELATED,ESTABLISHED -m socket"]) {
    const rule = `TPROXY_DIVERT_REPLIES -p ${protocol} --transparent -g TPROXY_LOCAL`;
    await iptables(lab, variant, [...replies, "-D", ...rule.split(" ")]);
  }
  await lab.client.run(["curl", "-sSfm5", nginx.url(6)]);
  assert.equal((await nginx.waitForAccess(6)).client, wan);
  const server = openServer(lab, 6);
  const peer = openClient(lab, 6);
  assert.equal(await exchange(peer, server), at(wan, peer.port));
  // Without a proxy, the client goes on with the same flow, and its answers are its own again.
  await program.stop("SIGKILL");
  await delay(300);
  await exchange(peer, server);
  await exchange(peer, server);
  // With the rule for connections gone as well, nothing is found.
  await start({ intercept: { "on-failure": "open" } });
  await keepFromMending(lab);
  await iptables(lab, variant, [...replies, "-F", "TPROXY_DIVERT_REPLIES"]);
  const { code } = await lab.client.run(["curl", "-sSfm1", nginx.url(6)], { mayFail: true });
  assert.equal(code, TIMED_OUT, `${client} gets through without it`);
});
