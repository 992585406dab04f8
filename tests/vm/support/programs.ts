/**
 * Debian's programs for a machine, beside BusyBox: for scenarios that need a network which BusyBox cannot
 * make. They stand in /usr/sbin, which comes first in the path.
 * @module
 */
import { isDirectory } from "../../../scripts/lib/build/disk.ts";
import { type DebianArchitecture, fetchDebianPackages } from "../../../scripts/lib/debian.ts";
import type { Tree } from "./tree.ts";

/** Packages by the program that a scenario asks for; libraries, too, are named: nothing else is brought. */
const PACKAGES = {
  ip: ["iproute2", "libbpf1", "libelf1", "zlib1g", "libmnl0", "libbsd0", "libmd0", "libcap2", "libselinux1"],
  nft: [
    ..."nftables libnftables1 libnftnl11 libmnl0 libxtables12 libjansson4 libgmp10 libedit2 libbsd0".split(
      " ",
    ),
    ..."libmd0 libtinfo6".split(" "),
  ],
  iptables: [
    ..."iptables libip4tc2 libip6tc2 libxtables12 libnftnl11 libmnl0 libnfnetlink0".split(" "),
    "libnetfilter-conntrack3",
  ],
  nc: ["netcat-openbsd", "libbsd0", "libmd0"],
  wg: ["wireguard-tools"],
  pppd: [
    ..."ppp libpam0g libpcap0.8 libcrypt1 libssl3 libaudit1 libcap-ng0 libdbus-1-3 libsystemd0".split(" "),
    ..."libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1 libcap2".split(" "),
  ],
} as const;

/** A program that can be asked for. */
export type DebianProgram = keyof typeof PACKAGES;

/** Puts the programs, their libraries and the C library into a root. */
export function putPrograms(
  root: Tree,
  architecture: DebianArchitecture,
  programs: readonly DebianProgram[],
): void {
  const names = new Set([
    "libc6",
    "libgcc-s1",
    "libpcre2-8-0",
    ...programs.flatMap((program) => PACKAGES[program]),
  ]);
  for (const directory of fetchDebianPackages(architecture, [...names]).values()) {
    for (const place of ["lib", "lib64", "usr/lib"]) {
      if (isDirectory(`${directory}/${place}`)) root.copy(place, `${directory}/${place}`, isLibrary);
    }
    for (const place of ["bin", "sbin", "usr/bin", "usr/sbin"]) {
      if (isDirectory(`${directory}/${place}`)) {
        // iproute2's /sbin/ip is a link to /bin/ip.
        root.copy("usr/sbin", `${directory}/${place}`, (path) => isProgram(`/${place}${path}`));
      }
    }
  }
}

function isLibrary(path: string): boolean {
  return /\.so(\.|$)/.test(path) && !/gconv|audit\/|\/pppd\/|\/security\//.test(path);
}

/** Of all that the packages bring, what scenarios run. */
function isProgram(path: string): boolean {
  return /\/(ip|tc|bridge|nc\.openbsd|nft|wg|pppd|xtables-(nft|legacy)-multi)$/.test(path) &&
    path !== "/sbin/ip";
}
