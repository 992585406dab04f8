/**
 * iptables in the laboratory: each of its two kinds in turn under the plain names, as an administrator
 * chooses one.
 * @module
 */
import { type IptablesVariant, labBackend, usesIptables } from "../proxy/backend.ts";
import type { Lab } from "../lab.ts";
import type { Outcome } from "../program.ts";
import { snapshotKernel } from "../network/snapshot.ts";

/** The kinds. */
export const IPTABLES_VARIANTS = ["nft", "legacy"] as const satisfies readonly IptablesVariant[];

const COMMANDS = ["iptables", "ip6tables"].flatMap((name) => [name, `${name}-save`, `${name}-restore`]);

/** An environment in which the plain names, and no others, stand for programs of this kind. */
export function iptablesOnly(lab: Lab, variant: IptablesVariant): { env: Record<string, string> } {
  const directory = `${lab.directory}/iptables-${variant}`;
  try {
    Deno.mkdirSync(directory);
    for (const name of COMMANDS) {
      Deno.symlinkSync(`/usr/sbin/xtables-${variant}-multi`, `${directory}/${name}`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return { env: { PATH: `${directory}:${Deno.env.get("PATH")}` } };
}

/** The program of a family, of the kind that the tests are run with. */
export function iptablesProgram(family: 4 | 6): string {
  const { variant } = labBackend();
  return `${family === 4 ? "iptables" : "ip6tables"}${variant === undefined ? "" : `-${variant}`}`;
}

/** Runs a program of this kind in the router. */
export function iptables(lab: Lab, variant: IptablesVariant, argv: readonly string[]): Promise<Outcome> {
  return lab.router.run(argv, iptablesOnly(lab, variant));
}

/** Rules of both families, without what counts and the time. */
export async function saveIptables(lab: Lab, variant: IptablesVariant): Promise<string> {
  const saved = await Promise.all(
    ["iptables-save", "ip6tables-save"].map((name) => iptables(lab, variant, [name])),
  );
  return saved.map(({ stdout }) => stdout.replace(/^#.*\n/gm, "").replace(/\[\d+:\d+\]/g, "")).join("");
}

/**
 * The state of the kernel, with rules of iptables-legacy, which `nft` does not show; without what rules
 * count.
 */
export async function snapshotIptables(lab: Lab): Promise<string> {
  const kernel = (await snapshotKernel(lab.router)).replace(/counter packets \d+ bytes \d+/g, "counter");
  return `${kernel}\n${await saveIptables(lab, "legacy")}`;
}

/** For the options of a test whose name ends with the kind: why it cannot run here, if so. */
export function obstacleOf(name: string): { obstacle?: string } {
  if (!name.endsWith("legacy")) return {};
  try {
    Deno.statSync("/proc/net/ip_tables_names");
    return {};
  } catch {
    return { obstacle: "this kernel has no iptables-legacy (/proc/net/ip_tables_names)" };
  }
}

/** A chain of ours. */
export interface OurChain {
  readonly family: 4 | 6;
  readonly table: "raw" | "mangle" | "filter";
  readonly chain: string;
}

/** Runs `iptables -t TABLE …` of the kind that the tests are run with, in the router. */
export function inTable(
  lab: Lab,
  { family, table }: Pick<OurChain, "family" | "table">,
  args: readonly string[],
): Promise<Outcome> {
  return lab.router.run([iptablesProgram(family), "-t", table, ...args]);
}

/** Deletes the one rule of a chain whose text matches. */
export async function deleteRule(lab: Lab, where: OurChain, pattern: RegExp): Promise<void> {
  const { stdout } = await inTable(lab, where, ["-S", where.chain]);
  const rules = stdout.split("\n").filter((line) => line.startsWith("-A ") && pattern.test(line));
  if (rules.length !== 1) throw new Error(`${rules.length} rules match ${pattern} in\n${stdout}`);
  await inTable(lab, where, rules[0].replace("-A ", "-D ").split(" "));
}

/**
 * Lists the objects of an install in the firewall: the table of nf_tables, or our rules of iptables in both
 * families.
 */
export async function listOurRules(lab: Lab): Promise<string> {
  if (!usesIptables()) {
    return (await lab.router.run(["nft", "list", "table", "inet", "transparent_proxy"])).stdout;
  }
  const saved = await Promise.all(
    ([4, 6] as const).map((family) => lab.router.run([`${iptablesProgram(family)}-save`])),
  );
  return saved.map(({ stdout }) => stdout).join("").split("\n").filter((line) => line.includes("TPROXY_"))
    .join("\n");
}
