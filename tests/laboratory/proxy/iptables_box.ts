/**
 * A laboratory with a kind of iptables in the router, and tests that are run with both.
 * @module
 */
import { type IptablesVariant } from "./backend.ts";
import {
  iptables,
  IPTABLES_VARIANTS,
  iptablesOnly,
  obstacleOf,
  saveIptables,
  snapshotIptables,
} from "../programs/iptables.ts";
import type { Lab } from "../lab.ts";
import type { Outcome, RunOptions } from "../program.ts";
import { type ConfigText, tproxy, tproxyCommand, writeConfig } from "./proxy.ts";
import { labTest } from "../register.ts";
import { delay } from "../machine/wait.ts";

/** Of `intercept.protocols`. */
export const BOTH_PROTOCOLS = ["tcp", "udp"];

/** A laboratory with a kind of iptables in the router. */
export class Iptables {
  readonly #env: Pick<RunOptions, "env">;
  constructor(readonly lab: Lab, readonly variant: IptablesVariant) {
    this.#env = iptablesOnly(lab, variant);
  }

  tproxy(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return tproxy(this.lab, args, { ...this.#env, ...options });
  }

  /** The path of a config with the backend. */
  config(config: ConfigText = {}): string {
    const kernel = { backend: "iptables", ...config.kernel as ConfigText | undefined };
    return writeConfig(this.lab, { ...config, kernel });
  }

  async install(config: ConfigText = {}, options: RunOptions = {}): Promise<Outcome> {
    return await this.tproxy(["install", "-c", this.config(config)], options);
  }

  run(line: string): Promise<Outcome> {
    return iptables(this.lab, this.variant, line.split(" "));
  }

  snapshot(): Promise<string> {
    return snapshotIptables(this.lab);
  }

  /** Rules of both families; the order of chains is that in which iptables-nft has made them. */
  async rules(): Promise<string> {
    return (await saveIptables(this.lab, this.variant)).split("\n").filter((line) => !line.startsWith(":"))
      .join("\n");
  }

  /** iptables-legacy makes a table when it is asked for, and nobody can take it away again. */
  async makeTables(): Promise<void> {
    if (this.variant !== "legacy") return;
    for (const command of ["iptables", "ip6tables"]) {
      for (const table of ["raw", "mangle", "filter"]) await this.run(`${command} -t ${table} -S`);
    }
  }

  /** Adds rules of other programs: some of them look like ours. */
  async addForeignRules(): Promise<void> {
    for (const command of ["iptables", "ip6tables"]) {
      await this.run(`${command} -t raw -A PREROUTING -i r1 -p tcp --dport 9 -j DROP`);
      await this.run(`${command} -t mangle -N DIVERT`);
      await this.run(`${command} -t mangle -A DIVERT -j MARK --set-mark 1`);
      await this.run(`${command} -t mangle -A PREROUTING -p tcp --dport 9 -m socket -j DIVERT`);
      await this.run(`${command} -N DOCKER-USER`);
      await this.run(`${command} -A FORWARD -j DOCKER-USER`);
    }
  }
}

/** Routes change while links come up, and snapshots are compared. */
export async function waitForLinks({ router }: Lab): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const { stdout } = await router.run(["ip", "-6", "route", "show", "table", "local"]);
    if (["r0", "r1"].every((link) => new RegExp(`^anycast fe80:: dev ${link}`, "m").test(stdout))) return;
    await delay(50);
  }
}

/** A test for each kind. */
export function iptablesTest(name: string, test: (box: Iptables) => Promise<void>): void {
  for (const variant of IPTABLES_VARIANTS) {
    labTest(
      `${name}, iptables-${variant}`,
      { programs: ["iptables"], ...obstacleOf(variant) },
      async (lab) => {
        const box = new Iptables(lab, variant);
        await box.makeTables();
        await waitForLinks(lab);
        await test(box);
      },
    );
  }
}

/** Rules without what an install says that it has made besides. */
export function withoutMade(rules: string): string {
  return rules.replace(/, with [^"]*/g, "");
}

/** Runs tproxy where no program of iptables is. */
export function withoutIptables(box: Iptables, args: readonly string[]): Promise<Outcome> {
  const hide = ["nft", "legacy"].map((kind) => `mount --bind /dev/null /usr/sbin/xtables-${kind}-multi`);
  const command = [...hide, [...tproxyCommand(), ...args].join(" ")].join("; ");
  return box.lab.router.run(["unshare", "-m", "sh", "-c", command], { mayFail: true });
}
