/**
 * tproxy in the router namespace: the source program, or the file that TPROXY_BIN names.
 * @module
 */
import { labBackend, usesIptables } from "./backend.ts";
import { iptablesOnly } from "../programs/iptables.ts";
import type { Lab } from "../lab.ts";
import { descriptorCount, processorMs, residentBytes } from "../machine/procfs.ts";
import type { Outcome, Program, RunOptions } from "../program.ts";

const PROJECT = new URL("../../../", import.meta.url).pathname;

/** The port of the listener, if the config says nothing else. */
export const PROXY_PORT = 50080;

/** A part of tproxy's configuration, as it stands in the file. */
export type ConfigText = Record<string, unknown>;

/** Options of the proxy. */
export interface ProxyOptions {
  /** Added to what the laboratory needs: TCP from r0. */
  readonly config?: ConfigText;
  /** Program the kernel with `tproxy install` first; default yes. */
  readonly install?: boolean;
  /** Further words for `run`. */
  readonly arguments?: readonly string[];
  /** A program that starts it, such as `["prlimit", "--nofile=256"]`. */
  readonly wrapper?: readonly string[];
  /** The environment of `install`; of `run` too. */
  readonly env?: Record<string, string>;
}

/** A running `tproxy run`. */
export class Proxy {
  readonly program: Program;
  readonly configPath: string;

  constructor(program: Program, options: { configPath: string }) {
    this.program = program;
    this.configPath = options.configPath;
  }

  get pid(): number {
    return this.program.pid;
  }

  /** Its log: standard error. */
  get log(): string {
    return this.program.stderr;
  }

  residentBytes(): number {
    return residentBytes(this.pid);
  }

  processorMs(): number {
    return processorMs(this.pid);
  }

  descriptorCount(): number {
    return descriptorCount(this.pid);
  }
}

/** The words that start tproxy. */
export function tproxyCommand(): string[] {
  const binary = Deno.env.get("TPROXY_BIN");
  if (binary !== undefined) return [binary.startsWith("/") ? binary : `${PROJECT}${binary}`];
  return sourceCommand();
}

/** The words that start the source program, whatever TPROXY_BIN says; `flags` are Deno's. */
export function sourceCommand(flags: readonly string[] = []): string[] {
  return [`${PROJECT}scripts/deno`, "run", "-A", "--no-check", ...flags, `${PROJECT}src/cli/entry.ts`];
}

/** Runs a tproxy command in the router namespace to its end. */
export function tproxy(lab: Lab, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return lab.router.run([...tproxyCommand(), ...args], { ...backendPrograms(lab), ...options });
}

/** The admission with which the tests are to be run; none: what a config that says nothing has. */
function askedAdmission(): string | undefined {
  return Deno.env.get("TPROXY_LAB_ADMISSION");
}

/** Tells whether first packets ask at the end of the forward path. */
export function firstPacketsAsk(): boolean {
  return !usesIptables() && askedAdmission() !== "early";
}

/** The control socket of a laboratory's proxy: each has its own, as they share /run. */
export function controlPath(lab: Lab): string {
  return `${lab.directory}/control/sock`;
}

/** Writes a config file (JSON is YAML too) and gives its path. */
export function writeConfig(lab: Lab, config: ConfigText = {}): string {
  const { intercept, ...rest } = config;
  const backend = usesIptables() ? { backend: "iptables" } : {};
  const admission = askedAdmission();
  const text = {
    version: 1,
    intercept: {
      interfaces: ["r0"],
      protocols: ["tcp"],
      ...admission === undefined ? {} : { admission },
      ...(intercept as ConfigText | undefined),
    },
    control: controlPath(lab),
    ...rest,
    kernel: { ...backend, ...rest.kernel as ConfigText | undefined },
  };
  return lab.writeFile("tproxy.yaml", JSON.stringify(text, undefined, 2));
}

/** `tproxy install`, then `tproxy run` until it says that it is ready. */
export async function startProxy(lab: Lab, options: ProxyOptions = {}): Promise<Proxy> {
  const configPath = writeConfig(lab, options.config);
  if (options.install !== false) await tproxy(lab, ["install", "-c", configPath], withEnv(options));
  const argv = [
    ...options.wrapper ?? [],
    ...tproxyCommand(),
    "run",
    "-c",
    configPath,
    ...options.arguments ?? [],
  ];
  const program = await lab.router.start(argv, {
    listens: PROXY_PORT,
    ...interceptsUdp(options.config) ? { udpPort: PROXY_PORT } : {},
    ...backendPrograms(lab),
    ...withEnv(options),
  });
  // The line that it says when it is ready; it names the port.
  await program.waitForOutput(`${PROXY_PORT}`);
  return new Proxy(program, { configPath });
}

/** An environment with only the kind of iptables that the tests are run with. */
export function backendPrograms(lab: Lab): { env?: Record<string, string> } {
  const { variant } = labBackend();
  return variant === undefined ? {} : iptablesOnly(lab, variant);
}

function withEnv({ env }: ProxyOptions): { env?: Record<string, string> } {
  return env === undefined ? {} : { env };
}

function interceptsUdp(config: ConfigText = {}): boolean {
  const protocols = (config.intercept as ConfigText | undefined)?.protocols;
  return Array.isArray(protocols) && protocols.includes("udp");
}
