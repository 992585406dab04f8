/**
 * Flows for other TPROXY programs of the router: Squid, HAProxy, v2ray, socat, each set up as the README's
 * recipe says.
 *
 * The router drops new forwarded flows, and what conntrack does not see of delivered ones.
 */
import assert from "node:assert/strict";
import { clientZone } from "../../../src/constants.ts";
import { formatIp, parseIp } from "../../../src/net/ip.ts";
import { startCapture } from "../../laboratory/network/capture.ts";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { inTable } from "../../laboratory/programs/iptables.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { type Nginx, startNginx } from "../../laboratory/programs/nginx.ts";
import {
  type ConfigText,
  PROXY_PORT,
  startProxy,
  tproxy,
  writeConfig,
} from "../../laboratory/proxy/proxy.ts";
import { prepareRecipe, PROXY_RUNS, type RecipeInLab } from "../../laboratory/proxy/recipe.ts";
import { keepFromMending } from "../../laboratory/proxy/mending.ts";
import { labTest } from "../../laboratory/register.ts";
import { connectClient, serve, socatServer } from "../../laboratory/network/sockets.ts";
import { until } from "../../laboratory/machine/wait.ts";

const PORT = 3129;
const BOTH = [4, 6] as const;

/** Port 80 goes to the other program, all else to the proxy. */
const CONFIG: ConfigText = {
  ...knownToNobody(),
  rules: [{ name: "web cache", ports: [80], protocol: "tcp", action: "deliver", "deliver-port": PORT }],
};

/** Of other programs, iptables cannot know whether they listen. */
function knownToNobody(intercept: ConfigText = {}): ConfigText {
  return { intercept: { ...intercept, ...usesIptables() ? { "on-failure": "drop" } : {} } };
}

/** Packets of what the proxy relays, where they are not what they should be: unknown to conntrack … */
const UNTRACKED = "iifname r0 tcp dport 81 ct state { new, established, related, invalid } counter drop";
/** … or established in the zone of clients' legs: the first one has come in from the loopback interface. */
const ZONED = `iifname r0 tcp dport 81 ct state { new, invalid, untracked } counter drop
    iifname r0 tcp dport 81 ct zone != ${clientZone(PROXY_PORT)} counter drop`;

/** A firewall that makes each kind of flow fail where conntrack's view of any of its packets is wrong. */
const STRICT = `table inet strict {
  chain input {
    type filter hook input priority filter; policy accept;
    iifname r0 tcp dport 80 ct state { invalid, untracked } counter drop
    ${usesIptables() ? UNTRACKED : ZONED}
  }
}`;

/** A program that takes delivered flows, as the README sets it up. */
interface Peer {
  readonly name: string;
  /** The title of its recipe. */
  readonly recipe: string;
  readonly port: number;
  /** The owner of the address that the server sees of a connection that it relays. */
  readonly seen: "client" | "router";
  /** A line of its log, as the recipe reads it, on a connection from the client's address. */
  readonly logged: (client: string, server: string) => RegExp;
  /** A variant of the recipe: a text of its files instead of another. */
  readonly replace?: readonly (readonly [part: string, instead: string])[];
}

const HAPROXY = {
  recipe: "HAProxy",
  port: 8080,
  logged: (client: string) => new RegExp(`^${client}:\\d+ .* ipv${client.includes(":") ? 6 : 4}/original `),
};

const PEERS: readonly Peer[] = [
  {
    name: "Squid, http_port tproxy",
    recipe: "Squid",
    port: 3129,
    seen: "client",
    logged: (client, server) => new RegExp(` ${client} TCP_MISS/200 .* ORIGINAL_DST/${server} `),
  },
  { name: "HAProxy on all addresses, usesrc clientip", seen: "client", ...HAPROXY },
  {
    name: "HAProxy on the loopback addresses",
    seen: "router",
    ...HAPROXY,
    replace: [
      ["bind :8080 transparent", "bind 127.0.0.1:8080 transparent"],
      ["bind :::8080 v6only transparent", "bind ::1:8080 transparent"],
      ["  source 0.0.0.0 usesrc clientip\n", ""],
      ["  source [::] usesrc clientip\n", ""],
    ],
  },
  {
    name: "v2ray, dokodemo-door",
    recipe: "v2ray",
    port: 12345,
    seen: "router",
    logged: (client, server) => new RegExp(` \\[?${client}\\]?:\\d+ accepted tcp:\\[?${server}\\]?:80`),
  },
];

/** The recipe's program, and tproxy, which takes what is not delivered. */
async function startPeer(lab: Lab, { recipe: title, port, replace = [] }: Peer): Promise<RecipeInLab> {
  const recipe = await prepareRecipe(lab, title, { replace });
  const program = await recipe.start({ listens: port });
  await program.waitForOutput(PROXY_RUNS, { timeoutMs: 30_000 });
  return recipe;
}

const PROGRAMS = ["curl", "nginx", "squid", "haproxy", "v2ray", "socat", "conntrack", "tcpdump"];

/** A page of the server's port 80, which is delivered, and one of 81, which the proxy relays. */
async function fetchBoth(
  lab: Lab,
  nginx: Nginx,
  family: 4 | 6,
): Promise<{ delivered: string; proxied: string }> {
  const seen: string[] = [];
  for (const port of [80, 81]) {
    const url = nginx.url(family, "/files/large").replace(/:80\//, `:${port}/`);
    await lab.client.run(["curl", "-sSfm10", "-o", `${lab.directory}/received`, url]);
    await lab.client.run(["cmp", `${lab.directory}/large`, `${lab.directory}/received`]);
    seen.push((await nginx.waitForAccess(family)).client);
  }
  return { delivered: seen[0], proxied: seen[1] };
}

for (const peer of PEERS) {
  const { seen, logged } = peer;
  for (const masquerade of [false, true]) {
    labTest(`deliver gives flows to ${peer.name}${masquerade ? ", behind masquerade" : ""}`, {
      programs: PROGRAMS,
      masquerade,
    }, async (lab) => {
      const nginx = await startNginx(lab, { ports: [80, 81] });
      await lab.client.run(["sh", "-c", `head -c 3M /dev/urandom >${lab.directory}/large`]);
      const recipe = await startPeer(lab, peer);
      await lab.router.nft(STRICT);
      const leaks = await startCapture(lab.server, {
        link: "s0",
        filter: masquerade ? `host ${ADDRESSES[4].client} or host ${ADDRESSES[6].client}` : "port 9",
      });
      for (const family of BOTH) {
        const { client, server, wan } = ADDRESSES[family];
        const clients = await fetchBoth(lab, nginx, family);
        assert.equal(clients.proxied, masquerade ? wan : client);
        assert.equal(clients.delivered, masquerade || seen === "router" ? wan : client);
        await waitForLog(recipe, logged(client, server));
      }
      assert.deepEqual(await leaks.stop(), []);
    });
  }
}

/** Waits until the recipe's command shows the line: programs write when a connection has ended. */
async function waitForLog(recipe: RecipeInLab, line: RegExp): Promise<void> {
  let shown = "";
  await until(async () => line.test(shown = (await recipe.run("check")).stdout), {
    what: `${line}`,
    pollMs: 100,
  })
    .catch((error) => {
      throw new Error(`${error.message}; it shows: ${shown}`);
    });
}

labTest("deliver keeps the flows of others in conntrack, with their whole handshake, and ours out of it", {
  programs: PROGRAMS,
}, async (lab) => {
  await serve(lab, 81, "cat");
  await listen(lab, `TCP6-LISTEN:${PORT},ipv6only=0`, "cat");
  await startProxy(lab, { config: { ...CONFIG, source: "router" } });
  await lab.router.nft(STRICT);
  for (const family of BOTH) {
    for (const port of [80, 81]) {
      const flow = await connectClient(lab, port, { family });
      await flow.write("hello\n");
      await flow.waitForOutput("hello\n");
      const entries = (await listFlows(lab, family, port)).filter((line) => !line.includes("zone="));
      // The proxy's own leg comes from the router.
      const { client, wan } = ADDRESSES[family];
      assert.equal(entries.length, 1, entries.join("\n"));
      assert.match(entries[0], new RegExp(`ESTABLISHED src=${port === 80 ? client : wan} .*\\[ASSURED\\]`));
      await flow.stop();
    }
  }
  // The handshake's last packet alone would be enough to fail.
  await keepFromMending(lab);
  if (usesIptables()) {
    const raw = { family: 4, table: "raw" } as const;
    await inTable(lab, raw, ["-F", "TPROXY_ACCEPTED"]);
    await inTable(lab, raw, ["-A", "TPROXY_ACCEPTED", "-g", "TPROXY_OURS"]);
  } else {
    await lab.router.run(["nft", "flush", "chain", "inet", "transparent_proxy", "accepted"]);
    const wrong = "meta mark set meta mark | 1 notrack accept".split(" ");
    await lab.router.run(["nft", "add", "rule", "inet", "transparent_proxy", "accepted", ...wrong]);
  }
  const outcome = await lab.client.run(["socat", "-T1", "-", `${socatServer(4, 80)},connect-timeout=1`], {
    input: "hello\n",
    mayFail: true,
  });
  assert.equal(outcome.stdout, "", "the chain accepted has no effect");
});

async function listFlows(lab: Lab, family: 4 | 6, port: number): Promise<string[]> {
  const argv = ["conntrack", "-L", "-f", `ipv${family}`, "-p", "tcp", "--dport", `${port}`];
  return (await lab.router.run(argv)).stdout.trim().split("\n").filter((line) => !line.includes("TIME_WAIT"));
}

/** A transparent socat on the router that serves each connection with a shell command. */
function listen(lab: Lab, address: string, command: string): Promise<unknown> {
  const argv = ["socat", "-t30", `${address},ip-transparent,fork,reuseaddr`, `SYSTEM:${command}`];
  return lab.router.start(argv, { listens: PORT });
}

for (
  const [where, addresses] of [
    ["all addresses", { 4: `TCP4-LISTEN:${PORT}`, 6: `TCP6-LISTEN:${PORT},ipv6only=1` }],
    ["the loopback addresses", {
      4: `TCP4-LISTEN:${PORT},bind=127.0.0.1`,
      6: `TCP6-LISTEN:${PORT},ipv6only=1,bind=[::1]`,
    }],
  ] as const
) {
  labTest(
    `deliver finds a listener on ${where}, which learns the destination`,
    { programs: PROGRAMS },
    async (lab) => {
      for (const address of Object.values(addresses)) {
        if (address !== undefined) await listen(lab, address, "echo $SOCAT_SOCKADDR $SOCAT_SOCKPORT");
      }
      await tproxy(lab, ["install", "-c", writeConfig(lab, CONFIG)]);
      for (const family of BOTH) {
        const { stdout } = await lab.client.run(["socat", "-u", socatServer(family, 80), "-"]);
        assert.equal(plainEndpoint(stdout.trim()), `${ADDRESSES[family].server} 80`);
      }
    },
  );
}

labTest(
  "deliver finds socat on all addresses of both families, which tells the client the destination",
  { programs: PROGRAMS },
  async (lab) => {
    const recipe = await prepareRecipe(lab, "socat");
    const program = await recipe.start({ listens: 7777 });
    await program.waitForOutput("Installed");
    for (const family of BOTH) {
      const { stdout } = await lab.client.run(["socat", "-u", socatServer(family, 80), "-"]);
      const { server } = ADDRESSES[family];
      if (family === 4) assert.equal(stdout.trim(), `${server} 80`);
      else assert.equal(plainEndpoint(stdout.trim()), `${server} 80`);
    }
  },
);

/**
 * socat's `[0000:…:ffff:cb00:7102] 80` as `203.0.113.2 80`, its `[2001:0db8:…] 80` as `2001:db8:77::2 80`.
 */
function plainEndpoint(text: string): string {
  const [host, port] = text.split(" ");
  const { bytes, family } = parseIp(host.replace(/^\[|\]$/g, ""))!;
  const mapped = family === "ipv6" && bytes[10] === 0xff && bytes[11] === 0xff;
  return `${formatIp(mapped ? { family: "ipv4", bytes: bytes.subarray(12) } : { family, bytes })} ${port}`;
}

labTest("deliver keeps connections over another install, with rules that would not deliver them", {
  programs: PROGRAMS,
}, async (lab) => {
  await listen(lab, `TCP6-LISTEN:${PORT},ipv6only=0`, "cat");
  const config = writeConfig(lab, CONFIG);
  await tproxy(lab, ["install", "-c", config]);
  const flows = [await connectClient(lab, 80, { family: 4 }), await connectClient(lab, 80, { family: 6 })];
  for (const action of ["block", "bypass", "direct"]) {
    const rules = [{ ports: [80], action }, { ports: [82], action: "deliver", "deliver-port": PORT }];
    await tproxy(lab, ["install", "-c", writeConfig(lab, { ...knownToNobody(), rules })]);
    for (const flow of flows) {
      await flow.write(`${action}\n`);
      await flow.waitForOutput(`${action}\n`);
    }
  }
});

for (
  const [onFailure, exitCode] of [["open", 0], ["reset", 7], ["drop", 28]] as const
) {
  labTest(
    `deliver with nobody on its port does what on-failure: ${onFailure} says, not what the next rule says`,
    {
      programs: PROGRAMS,
      forwarding: true,
      ...(onFailure === "drop" ? {} : { netlinkOnly: "iptables delivers with on-failure: drop alone" }),
    },
    async (lab) => {
      const nginx = await startNginx(lab, { ports: [80, 81] });
      const [deliver] = CONFIG.rules as unknown[];
      await startProxy(lab, {
        config: {
          source: "router",
          intercept: { "on-failure": onFailure },
          rules: [deliver, { action: "direct" }],
        },
      });
      for (const family of BOTH) {
        const { code } = await lab.client.run(["curl", "-sSm1", nginx.url(family)], { mayFail: true });
        assert.equal(code, exitCode, `IPv${family}`);
        if (onFailure === "open") {
          assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].client);
        }
        await lab.client.run(["curl", "-sSfm5", nginx.url(family).replace(/:80\//, ":81/")]);
        assert.equal((await nginx.waitForAccess(family)).client, ADDRESSES[family].wan, "the proxy is there");
      }
    },
  );
}

labTest("install and status say for what nobody listens where a rule delivers", {
  programs: ["socat"],
}, async (lab) => {
  const path = writeConfig(lab, CONFIG);
  const where = "on port 3129 for tcp over";
  const cases: [listener: string | undefined, missing: string | undefined][] = [
    [undefined, "ipv4, tcp over ipv6"],
    [`TCP4-LISTEN:${PORT}`, "ipv6"],
    [`TCP4-LISTEN:${PORT},bind=10.77.1.1`, "ipv4, tcp over ipv6"],
    [`TCP6-LISTEN:${PORT},bind=[::1]`, "ipv4"],
    [`TCP6-LISTEN:${PORT},ipv6only=0`, undefined],
  ];
  for (const [listener, missing] of cases) {
    const program = listener === undefined
      ? undefined
      : await lab.router.start(["socat", listener, "-"], { listens: PORT });
    const { stderr } = await tproxy(lab, ["install", "-c", path]);
    const { stdout } = await tproxy(lab, ["status", "-c", path]);
    if (missing === undefined) {
      assert.doesNotMatch(stderr, /delivers/);
      assert.match(
        stdout,
        /^deliver: somebody listens on port 3129, where rules\[0\] \(web cache\) delivers$/m,
      );
    } else {
      const said = `Nobody listens ${where} ${missing}, where rules[0] (web cache) delivers`;
      assert.ok(stderr.includes(`tproxy: warning: ${said}: until a program does, transparently, `), stderr);
      assert.ok(stdout.includes(`\ndeliver: ${said}\n`), stdout);
    }
    await program?.stop();
  }
});

labTest("deliver gives datagrams to v2ray, and the answers come from the server's address", {
  programs: PROGRAMS,
}, async (lab) => {
  const echo = ["socat", "UDP6-RECVFROM:80,ipv6only=0,fork", "SYSTEM:cat"];
  await lab.server.start(echo, { udpPort: 80 });
  // Nothing but v2ray, so that nobody else can have carried them.
  const recipe = await prepareRecipe(lab, "v2ray", { replace: [["rules:", "default: bypass\nrules:"]] });
  const program = await recipe.start({ udpPort: 12345 });
  await program.waitForOutput(PROXY_RUNS, { timeoutMs: 30_000 });
  for (const family of BOTH) {
    const { client, server } = ADDRESSES[family];
    // A connected socket takes answers from that address alone.
    const argv = ["socat", "-t2", "-", socatServer(family, 80).replace("TCP", "UDP")];
    const { stdout } = await lab.client.run(argv, { input: "hello\n" });
    assert.equal(stdout, "hello\n");
    await waitForLog(recipe, new RegExp(` \\[?${client}\\]?:\\d+ accepted udp:\\[?${server}\\]?:80`));
  }
});
