/**
 * Problems of values that are good one by one.
 * @module
 */
import { Marks } from "../../marks.ts";
import { hex } from "../../net/hex.ts";
import { type IpAddress, isLoopback } from "../../net/ip.ts";
import { DEFAULT_CONFIG } from "../defaults.ts";
import type { ConfigProblem } from "../error.ts";
import type { ConfigFile } from "../schema/schema.ts";
import { type ConfigPath, formatPath, type YamlSource } from "../yaml_source.ts";

/** Lists them all, of a file that passes the schema. */
export function conflicts(file: ConfigFile, source: YamlSource): ConfigProblem[] {
  return [...sharedMarks(file), ...untoldUdp(file), ...ownListeners(file)].map(({ path, text }) => ({
    ...source.locate(path),
    text: `${formatPath(path)}: ${text}`,
  }));
}

interface Conflict {
  readonly path: ConfigPath;
  readonly text: string;
}

/** Finds upstreams whose mark has bits of ours. */
function sharedMarks({ kernel, upstreams }: ConfigFile): Conflict[] {
  const ours = new Marks(kernel?.mark ?? DEFAULT_CONFIG.kernel.mark, { apart: true }).all;
  return Object.entries(upstreams ?? {}).flatMap(([name, { mark }]) =>
    mark === undefined || ((mark.mask & ours) >>> 0) === 0 ? [] : [{
      path: ["upstreams", name, "mark"],
      text: `${hex((mark.mask & ours) >>> 0)} is among our own bits (kernel.mark: ${hex(ours)} in all)`,
    }]
  );
}

/**
 * Finds what sends UDP to an upstream that is told of clients by PROXY v1, unless the upstream says that it
 * carries none.
 */
function untoldUdp({ intercept, rules, upstreams, groups, ...file }: ConfigFile): Conflict[] {
  if (!(intercept?.protocols ?? DEFAULT_CONFIG.intercept.protocols).includes("udp")) return [];
  const used = [
    ...(rules ?? []).map(({ protocol, upstream }, index) => ({
      path: ["rules", index, "upstream"],
      name: protocol === "tcp" ? undefined : upstream,
    })),
    { path: ["default-upstream"], name: file["default-upstream"] },
  ];
  return used.flatMap(({ path, name }) => {
    const members = name === undefined ? [] : groups?.[name]?.members ?? [name];
    const unfit = members.find((member) => {
      const { "proxy-protocol": version, udp } = upstreams?.[member] ?? {};
      return version === "v1" && udp !== false;
    });
    return unfit === undefined ? [] : [{
      path,
      text: `UDP may come here, and ${unfit} is told of clients by PROXY v1, which has no UDP: ` +
        "use v2, protocol: tcp, or udp: false for the upstream",
    }];
  });
}

/** Finds upstreams that are the proxy's own listener; addresses of interfaces are not known here. */
function ownListeners({ listener, upstreams }: ConfigFile): Conflict[] {
  const port = listener?.port ?? DEFAULT_CONFIG.listener.port;
  return Object.entries(upstreams ?? {}).flatMap(([name, { address }]) => {
    if (address === undefined || !("address" in address) || address.port !== port) return [];
    const text = "this is tproxy's own listener: flows would come back to it";
    return isThisHost(address.address) ? [{ path: ["upstreams", name, "address"], text }] : [];
  });
}

/** Tells whether an address is of the loopback interface, or the one that stands for all. */
function isThisHost(address: IpAddress): boolean {
  return isLoopback(address) || address.bytes.every((byte) => byte === 0);
}
