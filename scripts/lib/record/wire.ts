/**
 * Records what `nft` and `ip` write to netlink, and what the kernel answers them, into
 * tests/testdata/wire/*.hex. Needs root, strace, nftables, iproute2, iptables. Each case runs in a network
 * namespace of its own.
 *
 *     scripts/record wire [NAME…]      all, or those whose names hold one of these words
 * @module
 */
import type { Case } from "./cases/case.ts";
import { NEXT_HOPS } from "./cases/next_hops.ts";
import { NFT_LIVE } from "./cases/nft_live.ts";
import { NFT_OBJECTS, WHOLE } from "./cases/nft_objects.ts";
import { NFT_RULES } from "./cases/nft_rules.ts";
import { PLANNED_RULES } from "./cases/planned_rules.ts";
import { ROUTES } from "./cases/routes.ts";
import { RULE_SELECTORS } from "./cases/rule_selectors.ts";
import { XTABLES_MATCHES } from "./cases/xtables_matches.ts";

const OUTPUT = new URL("../../../tests/testdata/wire/", import.meta.url);

const CASES: readonly Case[] = [
  ...NFT_OBJECTS,
  ...NFT_RULES,
  ...NFT_LIVE,
  ...PLANNED_RULES,
  ...ROUTES,
  ...RULE_SELECTORS,
  ...NEXT_HOPS,
  ...XTABLES_MATCHES,
];

/** The datagrams of strace's dumps: `| 00010  xx xx …  text |` lines after each call. */
function datagrams(trace: string): Uint8Array[] {
  const found: number[][] = [];
  for (const line of trace.split("\n")) {
    const match = /^ \| [0-9a-f]{5,} {2}((?:[0-9a-f]{2} {1,2}){1,16})/.exec(line);
    if (match !== null) found.at(-1)?.push(...match[1].trim().split(/ +/).map((byte) => parseInt(byte, 16)));
    else if (/^(send|recv)/.test(line)) found.push([]);
  }
  return found.filter((bytes) => bytes.length > 0).map((bytes) => Uint8Array.from(bytes));
}

function run(command: string, args: readonly string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args: [...args] }).outputSync();
  if (!success) {
    throw new Error(`Cannot run "${command} ${args.join(" ")}": ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout).trim();
}

function quote(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}

function record(recorded: Case, directory: string): Uint8Array[] {
  const trace = `${directory}/trace`;
  const whole = `${directory}/whole.nft`;
  const calls = recorded.direction === "sent"
    ? ["sendmsg,sendto", "write=all"]
    : ["recvmsg,recvfrom", "read=all"];
  const setup = (recorded.setup ?? []).map((line) => line === "whole" ? `nft -f ${whole}` : line);
  const strace = [
    "strace",
    "-o",
    trace,
    "-s",
    "0",
    "-e",
    `trace=${calls[0]}`,
    "-e",
    calls[1],
    ...recorded.command,
  ];
  Deno.writeTextFileSync(whole, WHOLE);
  // With a pid namespace too: "netns 1" is then the laboratory itself.
  run("unshare", [
    "-n",
    "-p",
    "-f",
    "--mount-proc",
    "sh",
    "-ec",
    [...setup, strace.map(quote).join(" ")].join("\n"),
  ]);
  const found = datagrams(Deno.readTextFileSync(trace));
  return recorded.direction === "sent" ? [found.at(recorded.index ?? -1)!] : found;
}

function hexLines(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const row = [...bytes.subarray(offset, offset + 16)];
    lines.push(row.map((byte) => byte.toString(16).padStart(2, "0")).join(" "));
  }
  return lines.join("\n");
}

if (import.meta.main) {
  Deno.mkdirSync(OUTPUT, { recursive: true });
  const iptables = run("iptables-nft", ["--version"]);
  const versions = {
    nft: run("nft", ["--version"]),
    ip: run("ip", ["-V"]),
    "iptables-nft": iptables,
    "ip6tables-nft": iptables,
  };
  const directory = Deno.makeTempDirSync();
  const isAsked = ({ name }: Case) => Deno.args.length === 0 || Deno.args.some((word) => name.includes(word));
  for (const recorded of CASES.filter(isAsked)) {
    const found = record(recorded, directory);
    const heading = [
      `# ${recorded.command.join(" ")}`,
      `# ${versions[recorded.command[0]]}, Linux ${Deno.osRelease()}, ${recorded.direction}`,
      ...(recorded.setup ?? []).flatMap((line) => (line === "whole" ? WHOLE.trim() : line).split("\n"))
        .map((line) => `# before: ${line}`),
    ];
    const text = [heading.join("\n"), ...found.map(hexLines)].join("\n\n") + "\n";
    Deno.writeTextFileSync(new URL(`${recorded.name}.hex`, OUTPUT), text);
    Deno.stdout.writeSync(new TextEncoder().encode(`${recorded.name}: ${found.length} datagrams\n`));
  }
  Deno.removeSync(directory, { recursive: true });
}
