/**
 * Meaning of netcat's options and words. Pure.
 * @module
 */
import { AF_INET, AF_INET6 } from "../../../ffi/consts.ts";
import { parsePorts } from "../arguments/ports.ts";

/** The options as they stand on the command line. */
export interface NcOptions {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly listen: boolean;
  readonly keep: boolean;
  readonly udp: boolean;
  readonly numeric: boolean;
  readonly scan: boolean;
  readonly shutdown: boolean;
  readonly verbose: readonly boolean[];
  readonly source: string | undefined;
  readonly port: string | undefined;
  /** Seconds. */
  readonly wait: number | undefined;
  readonly words: readonly string[];
}

/** The common part of both modes. */
interface Common {
  readonly udp: boolean;
  /** AF_INET, AF_INET6; undefined: both. */
  readonly family: number | undefined;
  readonly numeric: boolean;
  readonly verbose: boolean;
  readonly shutdown: boolean;
  /** Milliseconds, -1: for ever. */
  readonly waitMs: number;
}

/** Connect, to one port after the other. */
export interface ConnectPlan extends Common {
  readonly mode: "connect";
  readonly host: string;
  /** Numbers or names of services. */
  readonly ports: readonly string[];
  readonly scan: boolean;
  /** The source: an address or a name, a port; undefined: the kernel's choice. */
  readonly source: string | undefined;
  readonly sourcePort: string | undefined;
}

/** Wait for somebody who connects, or sends. */
export interface ListenPlan extends Common {
  readonly mode: "listen";
  readonly host: string | undefined;
  readonly port: string;
  readonly keep: boolean;
}

/** Plans netcat's work; a string is the fault of the command line. */
export function planNc(options: NcOptions): ConnectPlan | ListenPlan | string {
  if (options.ipv4 && options.ipv6) return "-4 and -6 exclude each other";
  const common: Common = {
    udp: options.udp,
    family: options.ipv4 ? AF_INET : options.ipv6 ? AF_INET6 : undefined,
    numeric: options.numeric,
    verbose: options.verbose.length > 0,
    shutdown: options.shutdown,
    waitMs: options.wait === undefined ? -1 : options.wait * 1000,
  };
  return options.listen ? planListening(options, common) : planConnecting(options, common);
}

/** `-l PORT`, `-l ADDRESS PORT`, `-l -p PORT`, `-l -s ADDRESS -p PORT`, and mixtures that say each once. */
function planListening(options: NcOptions, common: Common): ListenPlan | string {
  if (options.scan) return "-z does not go with -l";
  const { source, port, words } = options;
  const rest = [...words];
  const service = port ?? rest.pop();
  if (service === undefined) return "Which port to listen on?";
  const host = source ?? rest.pop();
  if (rest.length > 0) return `One word too many: "${rest[0]}"`;
  const ports = service === "0" ? [service] : parsePorts(service);
  if (typeof ports === "string") return ports;
  if (ports.length > 1) return "-l takes one port, not a range";
  return { ...common, mode: "listen", host, port: ports[0], keep: options.keep };
}

function planConnecting(options: NcOptions, common: Common): ConnectPlan | string {
  if (options.keep) return "-k needs -l";
  const { source, port, words } = options;
  if (words.length !== 2) return "A host and a port are needed (to listen: -l)";
  const ports = parsePorts(words[1]);
  if (typeof ports === "string") return ports;
  const sourcePorts = port === undefined || port === "0" ? [] : parsePorts(port);
  if (typeof sourcePorts === "string") return sourcePorts;
  if (sourcePorts.length > 1) return "-p takes one port, not a range";
  return {
    ...common,
    mode: "connect",
    host: words[0],
    ports,
    scan: options.scan,
    source,
    sourcePort: sourcePorts[0],
  };
}
