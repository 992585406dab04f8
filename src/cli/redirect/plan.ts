/**
 * Meaning of the options and words of `tproxy redirect`. Pure.
 * @module
 */
import { AF_INET, AF_INET6 } from "../../../ffi/consts.ts";
import { parsePorts } from "../arguments/ports.ts";

/** The options as they stand on the command line. */
export interface RedirectOptions {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly fastOpen: boolean;
  readonly loop: boolean;
  readonly transparent: boolean;
  readonly fromClient: boolean;
  readonly listenAddress: string | undefined;
  readonly localPort: string;
  readonly host: string | undefined;
  readonly remotePort: string | undefined;
}

/** Plan of a run. */
export interface RedirectPlan {
  /** AF_INET, AF_INET6; undefined: both. */
  readonly family: number | undefined;
  readonly fastOpen: boolean;
  readonly loop: boolean;
  readonly transparent: boolean;
  readonly fromClient: boolean;
  readonly listenAddress: string | undefined;
  readonly localPort: string;
  /** null: the original destination. */
  readonly upstream: { readonly host: string; readonly port: string } | null;
}

/** The plan; a string says what is wrong with the command line. */
export function planRedirect(options: RedirectOptions): RedirectPlan | string {
  const { ipv4, ipv6, fastOpen, loop, fromClient, listenAddress, localPort, host } = options;
  if (ipv4 && ipv6) return "-4 and -6 exclude each other";
  const remotePort = options.remotePort ?? localPort;
  for (const port of localPort === "0" ? [remotePort] : [localPort, remotePort]) {
    // Without a host, the remote port is not asked for.
    if (host === undefined && port === "0") continue;
    const ports = parsePorts(port);
    if (typeof ports === "string") return ports;
    if (ports.length > 1) return `One port is needed, not ${port}`;
  }
  return {
    family: ipv4 ? AF_INET : ipv6 ? AF_INET6 : undefined,
    fastOpen,
    loop,
    // Only what is steered here by TPROXY has an original destination.
    transparent: options.transparent || host === undefined,
    fromClient,
    listenAddress,
    localPort,
    upstream: host === undefined ? null : { host, port: remotePort },
  };
}
