/**
 * The product on trial in the machines: the single file of an architecture, and the modules that it needs.
 * @module
 */
import type { DebianArchitecture } from "../../../scripts/lib/debian.ts";

const DIST = new URL("../../../dist/", import.meta.url).pathname;
const NAMES = { amd64: "x86_64", arm64: "aarch64" };

/** The file's path in the machines. */
export const TPROXY = "usr/bin/tproxy";

/**
 * Modules that a router's kernel must have for `install` and `run`, and those that `selftest` needs besides.
 */
export const PRODUCT_MODULES: readonly string[] = [
  "nf_tables",
  "nft_tproxy",
  "nft_socket",
  "nft_ct",
  "nft_fib_inet",
  "nft_reject_inet",
  "nft_masq",
  "nft_nat",
  "nft_chain_nat",
  "nf_conntrack",
  "nf_conntrack_netlink",
  "nfnetlink_log",
  "nft_log",
  "veth",
];

/**
 * The single file of an architecture on this machine, in the form that unpacks itself or the one that is
 * mounted.
 */
export function productFile(architecture: DebianArchitecture, form: "packed" | "image" = "packed"): string {
  return `${DIST}tproxy-${NAMES[architecture]}${form === "image" ? "-image" : ""}`;
}

/**
 * The installed form, a tree for the root of a machine: it unpacks nothing, which takes emulation most of a
 * minute.
 */
export function installedProduct(architecture: DebianArchitecture): string {
  return `${DIST}installed-${NAMES[architecture]}`;
}

/** Returns the reason why a product cannot be tried, if any. */
export function missingFile(file: string): string | undefined {
  try {
    Deno.statSync(file);
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return `there is no ${file} (scripts/build --target all --form all makes it)`;
    }
    throw error;
  }
}
