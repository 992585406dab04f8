/** A machine for the tests of doctor: files that exist only here, and a situation. */
import type { MachineFiles } from "../../../../src/doctor/machine/files.ts";
import type { Finding } from "../../../../src/doctor/finding.ts";
import type { Process } from "../../../../src/doctor/machine/processes.ts";
import type { Situation } from "../../../../src/doctor/situation.ts";
import type { Link } from "../../../../src/netlink/route/link.ts";
import { configWith, ROUTER } from "../../kernel/support/view.ts";

/** Files by path; a text that begins with `-> ` is a symbolic link. */
export function memoryFiles(texts: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>): MachineFiles {
  const read = (path: string) => Object.hasOwn(texts, path) ? texts[path] : undefined;
  return {
    readText(path) {
      const text = read(path);
      return typeof text === "string" ? text : undefined;
    },
    readBytes(path) {
      const bytes = read(path);
      return typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    },
    list(directory) {
      const rest = Object.keys(texts).filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1).split("/")[0]);
      return [...new Set(rest)].sort();
    },
    readLink(path) {
      const text = read(path);
      return typeof text === "string" && text.startsWith("-> ") ? text.slice(3) : undefined;
    },
    fileSystem: () => undefined,
  };
}

function link(name: string, index: number, more: Partial<Link> = {}): Link {
  return { index, name, up: true, loopback: false, kind: "", mtu: 1500, mac: "", ...more };
}

/** The router of view.ts with the default config: br-lan is a bridge, eth0 the way out. */
export function situationWith(more: Partial<Situation> = {}): Situation {
  return {
    config: configWith(),
    planned: {},
    admission: { inForce: "early", reason: "" },
    networks: [],
    families: ["ipv4", "ipv6"],
    lan: ["br-lan"],
    others: ["eth0"],
    links: [
      link("lo", 1, { loopback: true }),
      link("eth0", 2),
      link("br-lan", 3, { kind: "bridge" }),
    ],
    network: ROUTER,
    processes: [],
    ...more,
  };
}

/** Flows are taken behind the router's own rules. */
export const FORWARD_PATH = { inForce: "forward-path", reason: "" } as const;

/** A process of that name. */
export function processOf(name: string, words: readonly string[] = [name], pid = 812): Process {
  return { pid, name, words };
}

/**
 * The findings that say that something is wrong, as `state id (also …)`, with `!` before those that block.
 */
export function troubles(findings: readonly Finding[]): string[] {
  return findings.filter(({ state }) => state !== "works")
    .map(({ state, id, blocks, also = [] }) =>
      `${blocks ? "! " : ""}${state} ${id}${also.length === 0 ? "" : ` (${also.join(" ")})`}`
    );
}
