/**
 * The limit of the address space: of the proxy if it runs, else of this session. V8 reserves far more than it
 * uses. Pure, but for reading.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import type { MachineFiles } from "../machine/files.ts";
import { holdersOf } from "../machine/ports.ts";
import { isTproxy, type Process } from "../machine/processes.ts";

/** Bytes that V8 reserves at its start, and that others reserve beside it. */
const RESERVED = 64 * 1024 ** 3;
const GIB = 1024 ** 3;

/** The limit, and whose it is. */
export interface AddressSpaceFacts {
  /** Bytes, Infinity without a limit; undefined where it cannot be read. */
  readonly limit: number | undefined;
  readonly of: "this session" | "the proxy that runs";
}

/** The check. */
export const addressSpace: Check<AddressSpaceFacts> = {
  id: "address-space",
  read: ({ files, ports }) => readAddressSpace(files, holdersOf(ports())),
  judge: judgeAddressSpace,
};

/** Reads the limit of the proxy, which is one of `listeners`, or of this process. */
export function readAddressSpace(files: MachineFiles, listeners: readonly Process[]): AddressSpaceFacts {
  const proxy = listeners.find(isTproxy);
  const limits = files.readText(`/proc/${proxy?.pid ?? "self"}/limits`) ?? "";
  const soft = /^Max address space\s+(\S+)/m.exec(limits)?.[1];
  return {
    limit: soft === undefined ? undefined : soft === "unlimited" ? Infinity : Number(soft),
    of: proxy === undefined ? "this session" : "the proxy that runs",
  };
}

/** Judges the limit. */
export function judgeAddressSpace({ limit, of }: AddressSpaceFacts): Finding[] {
  if (limit === undefined) return [];
  const id = "address-space";
  if (limit === Infinity) return [works(id, `address space of ${of}: no limit`)];
  const what = `address space of ${of}: ${Math.floor(limit / GIB)} GiB`;
  if (limit >= RESERVED) return [works(id, what)];
  return [warning(id, {
    what,
    cause:
      `The runtime reserves up to ${
        RESERVED / GIB
      } GiB of addresses, which are no memory; below that it may end ` +
      "at its start, or when another worker starts",
    remedy:
      'Take the limit away: "ulimit -v unlimited" in a shell, no LimitAS= in a systemd unit (MemoryMax= bounds ' +
      "memory), no rlimit as in procd",
  })];
}
