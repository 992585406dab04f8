/**
 * The programs of iptables that this machine has: iptables-nft and iptables-legacy are different firewalls,
 * and the plain name stands for one of them.
 * @module
 */
import { OperationError } from "../../../net/error.ts";
import type { Family } from "../../../net/ip.ts";
import type { TableName } from "../compile/model.ts";

/** `nf_tables`: iptables-nft, whose rules are tables of nf_tables. `legacy`: its own rules in the kernel. */
export type IptablesVariant = "nf_tables" | "legacy";

/** Another program may hold the lock of iptables-legacy for so long: seconds. */
const LOCK_SECONDS = 10;
const SUFFIXES = ["", "-nft", "-legacy"] as const;
/** A PATH without them is common: in cron, or without root. */
const DIRECTORIES = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"];
const COMMANDS: Readonly<Record<Family, string>> = { ipv4: "iptables", ipv6: "ip6tables" };

/** Complaint of iptables-nft about tables with rules that it has not made. */
const UNREADABLE = /Parsing nftables rule failed|is incompatible, use 'nft'/;

/** Packages for the administrator to install. */
export const PACKAGES_HINT = "On Debian install the package iptables; on OpenWrt iptables-zz-legacy, " +
  "ip6tables-zz-legacy, iptables-mod-tproxy, iptables-mod-conntrack-extra, iptables-mod-extra and kmod-ipt-raw, kmod-ipt-raw6";

/** One kind of iptables. */
export interface IptablesPrograms {
  readonly variant: IptablesVariant;
  /** `iptables v1.8.9 (nf_tables)` */
  readonly version: string;
  /** The first is `iptables`, `iptables-nft` or `iptables-legacy`. */
  readonly name: string;
  /** Names of the programs for a family that are not there. */
  missing(family: Family): string[];
  /** Returns the output of `iptables-save`, of one table alone if that is named. Throws an OperationError. */
  save(family: Family, table?: TableName): Promise<string>;
  /** `iptables-restore --noflush`. Throws an OperationError with what it says. */
  restore(family: Family, input: string): Promise<void>;
}

/** Those that are installed; the one of the plain name is first, as the administrator has chosen it. */
export async function findPrograms(): Promise<IptablesPrograms[]> {
  const found: IptablesPrograms[] = [];
  for (const suffix of SUFFIXES) {
    const path = findFile(`iptables${suffix}`);
    if (path === undefined) continue;
    const { stdout } = await run(path, ["--version"]);
    const version = stdout.trim();
    const variant = version.includes("(nf_tables)") ? "nf_tables" : "legacy";
    if (!version.startsWith("iptables v") || found.some((other) => other.variant === variant)) continue;
    found.push(makePrograms({ variant, version, suffix }));
  }
  return found;
}

function makePrograms(
  { variant, version, suffix }: { variant: IptablesVariant; version: string; suffix: string },
): IptablesPrograms {
  return {
    variant,
    version,
    name: `iptables${suffix}`,
    missing(family) {
      return ["save", "restore"].map((action) => `${COMMANDS[family]}${suffix}-${action}`)
        .filter((name) => findFile(name) === undefined);
    },
    async save(family, table) {
      const args = table === undefined ? [] : ["-t", table];
      return await call({ name: `${COMMANDS[family]}${suffix}-save`, args, variant });
    },
    async restore(family, input) {
      const args = ["--noflush", "--wait", `${LOCK_SECONDS}`];
      await call({ name: `${COMMANDS[family]}${suffix}-restore`, args, variant, input });
    },
  };
}

/** The error of a program that is not here. */
export function missingProgram(name: string): OperationError {
  return new OperationError({
    operation: "run",
    object: name,
    reason: "there is no such program",
    hint: PACKAGES_HINT,
  });
}

async function call(
  program: { name: string; args: readonly string[]; variant: IptablesVariant; input?: string },
): Promise<string> {
  const { name } = program;
  const path = findFile(name);
  if (path === undefined) throw missingProgram(name);
  const { success, code, stdout, stderr } = await run(path, program.args, program.input);
  if (success) return stdout;
  throw new OperationError({
    operation: "run",
    object: name,
    reason: explain(stderr, program.input) || `exit code ${code}`,
    hint: UNREADABLE.test(stderr)
      ? "Another program has put rules into a table of iptables that only nft can read (nft list ruleset): " +
        "move them to a table of another name, or set kernel.backend to netlink"
      : "The kernel may lack the table, or a match or target of iptables: socket, TPROXY, CT, recent, addrtype, " +
        'multiport, mark; "tproxy doctor" tries each. On OpenWrt these are packages of their own',
  });
}

/** Explains a program's failure in one line; with the line of its input of which it complains. */
function explain(stderr: string, input = ""): string {
  const text = stderr.trim().split("\n").filter((line) => !line.startsWith("Try `")).join("; ");
  const line = /line:? (\d+)/.exec(text)?.[1];
  const culprit = line === undefined ? "" : input.split("\n")[Number(line) - 1] ?? "";
  return culprit === "" ? text : `${text} (${culprit})`;
}

interface Ended {
  readonly success: boolean;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(path: string, args: readonly string[], input?: string): Promise<Ended> {
  const child = new Deno.Command(path, {
    args: [...args],
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    // One that ends before it has read all says why on its standard error.
    await writer.write(new TextEncoder().encode(input)).then(() => writer.close()).catch(() => {});
  }
  const { success, code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { success, code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function findFile(name: string): string | undefined {
  const directories = [...(Deno.env.get("PATH") ?? "").split(":"), ...DIRECTORIES];
  return directories.map((directory) => `${directory}/${name}`).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}
