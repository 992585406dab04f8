/** Output of `install --dry-run` with the defaults, beside the commands of the kernel's page on TPROXY. */
import assert from "node:assert/strict";
import { compileIptables } from "../../../../src/kernel/iptables/compile/compile.ts";
import { planInstall } from "../../../../src/kernel/plan/plan.ts";
import { renderIptablesScript } from "../../../../src/kernel/iptables/script.ts";
import { renderScript } from "../../../../src/kernel/nft/script.ts";
import { configWith, ROUTER } from "../support/view.ts";

/**
 * A command of the page, the start of our line that does the same, and words that follow in it, others
 * between them or not.
 */
type Pair = readonly [page: string, start: string, words: string];

const ROUTING: readonly Pair[] = ["-4", "-6"].flatMap((family): Pair[] => [
  ["ip rule add fwmark 1 lookup 100", `ip ${family} rule add`, "fwmark 1 iif br-lan lookup 100"],
  ["ip rule add fwmark 1 lookup 100", `ip ${family} rule add`, "fwmark 1 iif eth0 lookup 100"],
  [
    "ip route add local 0.0.0.0/0 dev lo table 100",
    `ip ${family} route add`,
    "local default dev lo table 100",
  ],
]);

const SOCKET = "nft add rule filter divert meta l4proto tcp socket transparent 1 meta mark set 1 accept";
const STEER = "nft add rule filter divert tcp dport 80 tproxy to :50080 meta mark set 1 accept";
const NFT: readonly Pair[] = [
  ['nft add chain filter divert "{ type filter hook prerouting priority -150; }"', "chain divert {", ""],
  [SOCKET, "meta l4proto tcp", "socket transparent 1 meta mark set 1 notrack accept"],
  [SOCKET, "meta l4proto tcp", "socket transparent 1 meta mark set 1 accept"],
  [STEER, "meta nfproto ipv4 tcp", "tproxy ip to 127.0.0.1:50080 meta mark set 1 notrack accept"],
  [STEER, "meta nfproto ipv6 tcp", "tproxy ip6 to [::1]:50080 meta mark set 1 notrack accept"],
];

const PAGE_STEER =
  "iptables -t mangle -A PREROUTING -p tcp --dport 80 -j TPROXY --tproxy-mark 0x1/0x1 --on-port 50080";
const IPTABLES: readonly Pair[] = [
  [
    "iptables -t mangle -A PREROUTING -p tcp -m socket -j DIVERT",
    "-A TPROXY_DIVERT_REPLIES -p tcp -m socket",
    "-g TPROXY_LOCAL",
  ],
  ["iptables -t mangle -A DIVERT -j MARK --set-mark 1", "-A TPROXY_LOCAL -j MARK", "--set-xmark 0x1/0x1"],
  ["iptables -t mangle -A DIVERT -j ACCEPT", "-A TPROXY_LOCAL -j ACCEPT", ""],
  [PAGE_STEER, "-A TPROXY_STEER -p tcp", "-j TPROXY --on-port 50080 --on-ip 127.0.0.1 --tproxy-mark 0x1/0x1"],
  [PAGE_STEER, "-A TPROXY_STEER -p tcp", "-j TPROXY --on-port 50080 --on-ip ::1 --tproxy-mark 0x1/0x1"],
];

/** Our lines in the words of the page: a mark's bit is set among others, the route has a protocol. */
function inPageWords(line: string): string {
  return line.trim().replace("meta mark set meta mark | 0x1", "meta mark set 1")
    .replace("fwmark 0x1/0x1", "fwmark 1");
}

function hasWords(line: string, words: string): boolean {
  const rest = line.split(" ");
  return words.split(" ").every((word) => word === "" || rest.splice(0, rest.indexOf(word) + 1).length > 0);
}

function assertReadsLikePage(script: string, pairs: readonly Pair[]): void {
  const lines = script.split("\n");
  for (const [page, start, words] of pairs) {
    const found = lines.map(inPageWords).some((line) => line.startsWith(start) && hasWords(line, words));
    assert.ok(found, `no line "${start} … ${words}", the page's "${page}", in\n${script}`);
    // The page's own line stands in a comment, and the reasons of what differs.
    assert.ok(lines.some((line) => line.replace(/^\s*#\s*/, "") === `page: ${page}`), page);
  }
}

/** Lines that are commands or rules and have neither a comment above them, alone or as a group. */
function withoutReason(script: string, rule: RegExp): string[] {
  const lines = script.split("\n").map((line) => line.trim());
  return lines.filter((line, index) => {
    if (!rule.test(line)) return false;
    let above = index - 1;
    while (/^ip -[46] r/.test(line) && /^ip -[46] r/.test(lines[above])) above--;
    return !lines[above].startsWith("#");
  });
}

Deno.test("install --dry-run has the commands of the kernel's page and their numbers, in both families", () => {
  const script = renderScript(planInstall(configWith(), ROUTER), { origin: "built-in defaults" });
  assertReadsLikePage(script, [...ROUTING, ...NFT]);
  assert.deepEqual(withoutReason(script, /^ip .* add|accept$|return$|notrack$|goto \w+$/), []);
});

Deno.test("install --dry-run shows divert first, and each other chain after the one that goes to it", () => {
  const script = renderScript(planInstall(configWith(), ROUTER), { origin: "built-in defaults" });
  const chains = [...script.matchAll(/^\tchain (\w+) \{$/gm)].map(([, name]) => name);
  assert.deepEqual(chains, ["divert", "intercept", "divert_replies", "served", "untracked"]);
});

Deno.test("install --dry-run --format iptables has the commands of the kernel's page", () => {
  const config = configWith({}, { backend: "iptables" });
  const plan = planInstall(config, ROUTER);
  const script = renderIptablesScript(plan, {
    origin: "built-in defaults",
    iptables: compileIptables(plan),
  });
  assertReadsLikePage(script, [...ROUTING, ...IPTABLES]);
  assert.deepEqual(withoutReason(script, /^ip .* add|^-A /), []);
});
