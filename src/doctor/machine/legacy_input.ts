/**
 * The INPUT chain of iptables-legacy, which nf_tables does not show: its policy, and whether it has rules.
 * The rules are not read.
 * @module
 */
import { AF_INET, AF_INET6, SOCK_DGRAM, SOL_IP, SOL_IPV6 } from "../../../ffi/consts.ts";
import { closeFd, openSocket } from "../../../ffi/sockets/socket.ts";
import { getBytes } from "../../../ffi/sockets/sockopt.ts";
import { FAMILIES } from "../../net/families.ts";
import type { Family } from "../../net/ip.ts";
import { LITTLE_ENDIAN } from "../../netlink/attribute.ts";
import type { MachineFiles } from "./files.ts";

// linux/netfilter_ipv4/ip_tables.h: IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES; the same numbers for IPv6
const GET_INFO = 64;
const GET_ENTRIES = 65;
/**
 * struct ipt_getinfo: name (32 bytes), valid_hooks, hook_entry[5], underflow[5], num_entries, size (u32
 * each).
 */
const INFO_SIZE = 84;
const INFO_HOOK_ENTRY = 36;
const INFO_UNDERFLOW = 56;
const INFO_TABLE_SIZE = 80;
/** struct ipt_get_entries: name, size, padding to 8 bytes, entries. */
const ENTRIES_HEADER = 40;
const NF_INET_LOCAL_IN = 1;
/**
 * In the target: its size (u16), name (29 bytes), revision (u8), then the verdict. NF_DROP is -NF_DROP - 1.
 */
const TARGET_VERDICT = 32;
const VERDICT_DROP = -1;

/**
 * Offsets at which the entries of a family keep the offset of their target (u16): after struct ipt_ip or
 * ip6t_ip6 and nfcache.
 */
const PLACES = {
  ipv4: { domain: AF_INET, level: SOL_IP, targetOffset: 88, names: "ip_tables_names" },
  ipv6: {
    domain: AF_INET6,
    level: SOL_IPV6,
    targetOffset: 140,
    names: "ip6_tables_names",
  },
} as const;

/** The INPUT chain of a family. */
export interface LegacyInput {
  readonly family: Family;
  readonly policy: "accept" | "drop";
  readonly hasRules: boolean;
}

/** Reads those that exist. A table that does not is not asked for: the kernel would make it. */
export function readLegacyInput(files: MachineFiles): LegacyInput[] {
  return FAMILIES.flatMap((family) => {
    const names = files.readText(`/proc/thread-self/net/${PLACES[family].names}`) ?? "";
    return names.split("\n").includes("filter") ? readFilter(family) ?? [] : [];
  });
}

function readFilter(family: Family): LegacyInput | undefined {
  const { domain, level, targetOffset } = PLACES[family];
  const fd = openSocket(domain, SOCK_DGRAM);
  if (fd < 0) return undefined;
  try {
    const info = question(INFO_SIZE);
    if (getBytes(fd, level, GET_INFO, info) < 0) return undefined;
    const word = (offset: number) => new DataView(info.buffer).getUint32(offset, LITTLE_ENDIAN);
    const size = word(INFO_TABLE_SIZE);
    const entries = question(ENTRIES_HEADER + size);
    new DataView(entries.buffer).setUint32(32, size, LITTLE_ENDIAN);
    if (getBytes(fd, level, GET_ENTRIES, entries) < 0) return undefined;
    const underflow = word(INFO_UNDERFLOW + 4 * NF_INET_LOCAL_IN);
    const view = new DataView(entries.buffer, ENTRIES_HEADER + underflow);
    const verdict = view.getInt32(
      view.getUint16(targetOffset, LITTLE_ENDIAN) + TARGET_VERDICT,
      LITTLE_ENDIAN,
    );
    return {
      family,
      policy: verdict === VERDICT_DROP ? "drop" : "accept",
      hasRules: word(INFO_HOOK_ENTRY + 4 * NF_INET_LOCAL_IN) !== underflow,
    };
  } finally {
    closeFd(fd);
  }
}

function question(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode("filter"));
  return bytes;
}
