/**
 * The tables of iptables-legacy, which nf_tables does not show: read as its programs read them, by
 * getsockopt(2). No program is needed.
 * @module
 */
import { AF_INET, AF_INET6, SOCK_DGRAM, SOL_IP, SOL_IPV6 } from "../../../../ffi/consts.ts";
import { closeFd, openSocket } from "../../../../ffi/sockets/socket.ts";
import { getBytes } from "../../../../ffi/sockets/sockopt.ts";
import { FAMILIES } from "../../../net/families.ts";
import type { Family } from "../../../net/ip.ts";
import { LITTLE_ENDIAN } from "../../../netlink/attribute.ts";
import type { MachineFiles } from "../files.ts";
import type { FirewallChain } from "../../firewall/chain.ts";
import { decodeLegacyTable, type LegacyTable } from "./decode.ts";

// linux/netfilter_ipv4/ip_tables.h: IPT_SO_GET_INFO, IPT_SO_GET_ENTRIES; the same numbers for IPv6
const GET_INFO = 64;
const GET_ENTRIES = 65;
/**
 * struct ipt_getinfo: name (32 bytes), valid_hooks, hook_entry[5], underflow[5], num_entries, size (u32
 * each).
 */
const INFO_SIZE = 84;
const INFO_VALID_HOOKS = 32;
const INFO_HOOK_ENTRY = 36;
const INFO_UNDERFLOW = 56;
const INFO_TABLE_SIZE = 80;
/** struct ipt_get_entries: name, size, padding to 8 bytes, entries. */
const ENTRIES_SIZE = 32;
const ENTRIES_HEADER = 40;
/** NF_INET_NUMHOOKS */
const HOOKS = 5;

const PLACES = {
  ipv4: { domain: AF_INET, level: SOL_IP, names: "ip_tables_names" },
  ipv6: { domain: AF_INET6, level: SOL_IPV6, names: "ip6_tables_names" },
} as const;

/** Reads the chains of those that exist. */
export function readLegacyChains(files: MachineFiles): FirewallChain[] {
  return readLegacyTables(files).flatMap(decodeLegacyTable);
}

/** Reads those that exist. A table that does not is not asked for: the kernel would make it. */
export function readLegacyTables(files: MachineFiles): LegacyTable[] {
  return FAMILIES.flatMap((family) => {
    const names = files.readText(`/proc/thread-self/net/${PLACES[family].names}`) ?? "";
    return names.split("\n").filter((name) => name !== "").flatMap((name) => readTable(family, name) ?? []);
  });
}

function readTable(family: Family, name: string): LegacyTable | undefined {
  const { domain, level } = PLACES[family];
  const fd = openSocket(domain, SOCK_DGRAM);
  if (fd < 0) return undefined;
  try {
    const info = question(name, INFO_SIZE);
    if (getBytes(fd, level, GET_INFO, info) < 0) return undefined;
    const word = (offset: number) => new DataView(info.buffer).getUint32(offset, LITTLE_ENDIAN);
    const words = (offset: number) => Array.from({ length: HOOKS }, (_, hook) => word(offset + 4 * hook));
    const size = word(INFO_TABLE_SIZE);
    const answer = question(name, ENTRIES_HEADER + size);
    new DataView(answer.buffer).setUint32(ENTRIES_SIZE, size, LITTLE_ENDIAN);
    if (getBytes(fd, level, GET_ENTRIES, answer) < 0) return undefined;
    return {
      family,
      name,
      validHooks: word(INFO_VALID_HOOKS),
      begins: words(INFO_HOOK_ENTRY),
      policies: words(INFO_UNDERFLOW),
      entries: answer.subarray(ENTRIES_HEADER),
    };
  } finally {
    closeFd(fd);
  }
}

function question(name: string, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(name));
  return bytes;
}
