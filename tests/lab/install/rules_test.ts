/** Every object of an install is needed: with any one of them taken away, the proxy behind it fails. */
import assert from "node:assert/strict";
import { formatIp, parseIp } from "../../../src/net/ip.ts";
import { usesIptables } from "../../laboratory/proxy/backend.ts";
import { deleteRule, inTable } from "../../laboratory/programs/iptables.ts";
import { ADDRESSES, type Lab } from "../../laboratory/lab.ts";
import { startProxy, tproxy } from "../../laboratory/proxy/proxy.ts";
import { keepFromMending } from "../../laboratory/proxy/mending.ts";
import { labTest } from "../../laboratory/register.ts";
import { serve, socatServer } from "../../laboratory/network/sockets.ts";

type FamilyNumber = 4 | 6;

/** Asks the server for the address that it sees; the empty string if the connection does not come about. */
async function seenByServer(lab: Lab, family: FamilyNumber): Promise<string> {
  const server = `${socatServer(family, 7000)},connect-timeout=1`;
  const { stdout } = await lab.client.run(["timeout", "2", "socat", "-u", server, "-"], { mayFail: true });
  return plainAddress(stdout.trim());
}

/** socat's `[0000:…:0000:ffff:0a4d:0102]` as `10.77.1.2`, its `[fd77:0001:…]` as `fd77:1::2`. */
function plainAddress(text: string): string {
  const address = parseIp(text.replace(/^\[|\]$/g, ""));
  if (address === undefined) return text;
  const mapped = family6To4(address.bytes);
  return formatIp(mapped === undefined ? address : { family: "ipv4", bytes: mapped });
}

function family6To4(bytes: Uint8Array): Uint8Array | undefined {
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff &&
    bytes[11] === 0xff;
  return bytes.length === 16 && isMapped ? bytes.subarray(12) : undefined;
}

/** The handle of the rule of a chain whose text, as nft lists it, matches. */
async function findHandle(lab: Lab, chain: string, pattern: RegExp): Promise<string> {
  const { stdout } = await lab.router.run(["nft", "-a", "list", "chain", "inet", "transparent_proxy", chain]);
  const lines = stdout.split("\n").filter((line) => pattern.test(line));
  assert.equal(lines.length, 1, `${pattern} in\n${stdout}`);
  return /# handle (\d+)/.exec(lines[0])![1];
}

/** Something of an install that is taken away. */
interface Removal {
  readonly what: string;
  remove(lab: Lab, family: FamilyNumber): Promise<unknown>;
}

function withoutRule(chain: string, pattern: (family: FamilyNumber) => RegExp): Removal {
  return {
    what: `the rule ${chain}: ${pattern(4).source}`,
    async remove(lab, family) {
      const handle = await findHandle(lab, chain, pattern(family));
      await lab.router.run(["nft", "delete", "rule", "inet", "transparent_proxy", chain, "handle", handle]);
    },
  };
}

function withoutRouting(command: string): Removal {
  return {
    what: command,
    remove: (lab, family) => lab.router.ip(command, { family }),
  };
}

function withoutIptablesRule(table: "raw" | "mangle", chain: string, pattern: RegExp): Removal {
  return {
    what: `the rule of ${table} ${chain}: ${pattern.source}`,
    remove: (lab, family) => deleteRule(lab, { family, table, chain }, pattern),
  };
}

const RULES: readonly Removal[] = usesIptables()
  ? [
    withoutIptablesRule("raw", "PREROUTING", /TPROXY_DIVERT/),
    withoutIptablesRule("raw", "TPROXY_DIVERT", /-p tcp -m socket/),
    withoutIptablesRule("raw", "TPROXY_INTERCEPT", /-p tcp .* TPROXY_OURS/),
    withoutIptablesRule("mangle", "TPROXY_STEER", /-p tcp .* -j TPROXY/),
    withoutIptablesRule("mangle", "TPROXY_DIVERT_REPLIES", /-p tcp -m socket/),
  ]
  : [
    withoutRule("divert", () => /l4proto tcp socket transparent 1/),
    withoutRule("intercept", (family) => family === 4 ? /tcp .* tproxy ip to/ : /tcp .* tproxy ip6 to/),
    withoutRule("divert_replies", () => /l4proto tcp socket transparent 1/),
  ];

const REMOVALS: readonly Removal[] = [
  ...RULES,
  withoutRouting("rule del priority 500 protocol 50 iif r0"),
  withoutRouting("rule del priority 500 protocol 50 iif r1"),
  withoutRouting("route flush table 100"),
];

for (const family of [4, 6] as const) {
  labTest(
    `install makes nothing that the proxy could do without, IPv${family}`,
    { programs: ["socat"] },
    async (lab) => {
      await serve(lab, 7000, "echo $SOCAT_PEERADDR");
      const { configPath } = await startProxy(lab, { config: { intercept: { admission: "early" } } });
      const client = ADDRESSES[family].client;
      assert.equal(await seenByServer(lab, family), client);
      for (const { what, remove } of REMOVALS) {
        await keepFromMending(lab);
        await remove(lab, family);
        assert.equal(await seenByServer(lab, family), "", `the proxy works without ${what}`);
        await tproxy(lab, ["install", "-c", configPath]);
        assert.equal(await seenByServer(lab, family), client, `install did not mend ${what}`);
      }
    },
  );
}

labTest("install keeps the client's leg out of conntrack, or masquerade would be skipped", {
  masquerade: true,
  programs: ["socat", "conntrack"],
}, async (lab) => {
  await serve(lab, 7000, "echo $SOCAT_PEERADDR; sleep 1");
  await startProxy(lab, { config: { intercept: { admission: "early" } } });
  assert.equal(await seenByServer(lab, 4), ADDRESSES[4].wan);
  const list = ["conntrack", "-L", "-p", "tcp", "--dport", "7000"];
  const { stdout } = await lab.router.run(list);
  const entries = stdout.trim().split("\n");
  assert.equal(entries.length, 1, stdout);
  // The reply comes to the router's address: it is the proxy's own leg, masqueraded.
  assert.match(entries[0], new RegExp(`src=${ADDRESSES[4].server} dst=${ADDRESSES[4].wan}`));
  await keepFromMending(lab);
  if (usesIptables()) await inTable(lab, { family: 4, table: "raw" }, ["-F", "TPROXY_UNTRACKED"]);
  else await lab.router.run(["nft", "flush", "chain", "inet", "transparent_proxy", "untracked"]);
  assert.notEqual(await seenByServer(lab, 4), ADDRESSES[4].wan, "the chain untracked has no effect");
});

const withoutOwnServices = usesIptables()
  ? withoutIptablesRule("raw", "TPROXY_INTERCEPT", /addrtype/)
  : withoutRule("intercept", () => /fib daddr type/);

labTest(
  "install never sends the router's own services to the proxy",
  { programs: ["socat"] },
  async (lab) => {
    const listener = "TCP6-LISTEN:22,ipv6only=0,fork,reuseaddr";
    await lab.router.start(["socat", listener, "SYSTEM:echo router"], { listens: 22 });
    await startProxy(lab, { config: { intercept: { admission: "early", "on-failure": "reset" } } });
    const login = () =>
      lab.client.run(["timeout", "2", "socat", "-u", `TCP4:${ADDRESSES[4].lan}:22`, "-"], { mayFail: true });
    assert.equal((await login()).stdout, "router\n");
    const listening = `TCP4:${ADDRESSES[4].lan}:50080`;
    const direct = await lab.client.run(["socat", "-u", listening, "-"], { mayFail: true });
    assert.match(direct.stderr, /Connection refused/, "a client can reach the listener itself");
    await keepFromMending(lab);
    await withoutOwnServices.remove(lab, 4);
    assert.notEqual((await login()).stdout, "router\n", "the rule has no effect");
  },
);
