/**
 * The router of the self-test: its own firewall, and tproxy as a child process in its namespace.
 * @module
 */
import { FAMILIES } from "../../../net/families.ts";
import { createVeth } from "../../../netlink/route/link.ts";
import { listRoutes } from "../../../netlink/route/route.ts";
import { listRules } from "../../../netlink/route/rule.ts";
import { listTables } from "../../../netlink/nft/table.ts";
import { openNetlink } from "../../../netlink/transport.ts";
import { listTraces } from "../../../kernel/backends.ts";
import { ClientHost } from "./client_host.ts";
import { loadForwardPolicy, loadMasquerade, removeMasquerade } from "../firewall.ts";
import { hasBridge, loadSurrounding, removeSurrounding, setBridge, setPolicyRoutes } from "../router/load.ts";
import type { Surrounding } from "../router/surroundings.ts";
import { NamespaceHost } from "./namespace_host.ts";
import type { Outcome, Talk, Target } from "../checks/outcome.ts";
import type { Step, TalkOptions } from "./udp_client.ts";

/** Call of a program. */
export interface ProgramCall {
  readonly command: string;
  readonly args: readonly string[];
}

/** Output and exit code of a program. */
export interface ProgramResult {
  readonly code: number;
  readonly output: string;
}

/** The line that `tproxy run` says when it listens. */
const READY = /^.* relays .*$/m;

/** The router. */
export class RouterHost extends NamespaceHost {
  #proxy: Deno.ChildProcess | undefined;
  /** Programs on the router. */
  readonly #programs = new ClientHost();

  /** Equivalent to: ip link add NAME type veth peer name PEER netns FD */
  addVeth(name: string, peer: string, peerNamespaceFd: number): void {
    using connection = openNetlink("route");
    createVeth(connection, { name, peer, peerNamespaceFd });
  }

  /** The policy for new flows; established ones are always forwarded. */
  setForwardPolicy(policy: "accept" | "drop"): void {
    loadForwardPolicy(policy);
  }

  /** Switches masquerading towards the WAN. */
  setMasquerade(on: boolean): void {
    if (on) loadMasquerade("r1");
    else removeMasquerade();
  }

  /** Puts rules into the router as administrators have them; without a name takes them away. */
  surround(name?: Surrounding): void {
    if (name === undefined) removeSurrounding();
    else loadSurrounding(name);
  }

  /** Leads clients by a table of their own. */
  setPolicyRoutes(by: "interface" | "mark", on: boolean): void {
    setPolicyRoutes(by, on);
  }

  /** Makes the LAN side a bridge. */
  setBridge(on: boolean): void {
    setBridge(on);
  }

  /** Tells whether the LAN side is a bridge, or was to become one. */
  hasBridge(): boolean {
    return hasBridge();
  }

  /** Tells whether bridges can have their frames pass the rules: whether br_netfilter is loaded. */
  hasBridgeFilter(): boolean {
    try {
      return Deno.statSync("/proc/sys/net/bridge/bridge-nf-call-iptables").isFile;
    } catch {
      return false;
    }
  }

  /** A program on the router connects and reads to the end. */
  ask(target: Target, options: { timeoutMs: number }): Promise<Outcome> {
    return this.#programs.ask(target, options);
  }

  /** A program on the router talks over UDP, from one socket. */
  talk(steps: readonly Step[], options: TalkOptions): Promise<Talk> {
    return this.#programs.talk(steps, options);
  }

  /** Runs tproxy to its end. */
  async runTproxy({ command, args }: ProgramCall): Promise<ProgramResult> {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    return { code, output: (decoder.decode(stdout) + decoder.decode(stderr)).trim() };
  }

  /** Starts `tproxy run`; its process id. Throws with what it said if it ends before it is ready. */
  async startProxy({ command, args }: ProgramCall): Promise<number> {
    const child = new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#proxy = child;
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!READY.test(text)) {
      const { done, value } = await reader.read();
      if (done) throw new Error(text || "tproxy run ended without a word");
      text += value;
    }
    // Read on, or the pipe fills and its writer waits.
    void drain(reader);
    return child.pid;
  }

  /** Sends a signal to `tproxy run` and waits for its end: its exit code, or null if it was killed. */
  async endProxy(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    const child = this.#proxy;
    if (child === undefined) return null;
    this.#proxy = undefined;
    try {
      child.kill(signal);
    } catch {
      // it has ended by itself
    }
    const status = await child.status;
    return status.signal === null ? status.code : null;
  }

  /** Tables of nf_tables, chains of iptables, routing rules, routes and sysctls, to compare. */
  async snapshot(): Promise<string[]> {
    using route = openNetlink("route");
    using netfilter = openNetlink("netfilter");
    const traces = await listTraces(Deno.readTextFileSync);
    const tables = listTables(netfilter).map((table) => `table ${table.family} ${table.name}`);
    const lines = [...traces, ...tables];
    for (const family of FAMILIES) {
      for (const rule of listRules(route, family)) lines.push(`rule ${family} ${toText(rule)}`);
      // Neighbours, and with them cached routes, come and go by themselves.
      for (const entry of listRoutes(route, { family })) lines.push(`route ${family} ${toText(entry)}`);
    }
    for (const path of sysctlPaths("/proc/sys/net")) lines.push(`${path} = ${readSysctl(path)}`);
    return lines;
  }
}

function toText(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (part instanceof Uint8Array) return [...part];
    return typeof part === "bigint" ? `${part}` : part;
  });
}

function* sysctlPaths(directory: string): Generator<string> {
  for (const entry of Deno.readDirSync(directory)) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) yield* sysctlPaths(path);
    else yield path;
  }
}

function readSysctl(path: string): string {
  // Counters, not settings.
  if (path.endsWith("nf_conntrack_count")) return "";
  try {
    return Deno.readTextFileSync(path).trim();
  } catch {
    return "unreadable";
  }
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}
