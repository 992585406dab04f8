/**
 * The include of OpenWrt's firewall (fw4). Pure.
 *
 * Packets that are delivered to the proxy pass the input hook as packets to the router itself do, without
 * connection state: fw4 counts them as SYN flood, and refuses them where a zone refuses input. fw4 reads
 * files under /usr/share/nftables.d/chain-pre/CHAIN at each start and reload, before the first rule of that
 * chain but `lo` (README in that folder). A file that nft cannot read would stop the whole firewall from
 * loading: nothing in it needs a module that may be missing.
 * @module
 */
import { hex } from "../net/hex.ts";
import type { BootFile, BootSettings } from "./model.ts";

const ROOT = "/usr/share/nftables.d";
const FOLDER = `${ROOT}/chain-pre/input`;

/** The file; none where there is no fw4. */
export function fw4Files({ mark }: BootSettings, has: (path: string) => boolean): BootFile[] {
  if (!has(ROOT)) return [];
  const bits = hex(mark);
  return [{
    path: `${FOLDER}/20-tproxy.nft`,
    mode: 0o644,
    text: `# Packets that are delivered to the proxy. Only rules of tproxy on this router set the mark.
meta l4proto { tcp, udp } meta mark and ${bits} == ${bits} accept comment "tproxy"
`,
    folders: [FOLDER, `${ROOT}/chain-pre`],
  }];
}

/** Tells whether a path is that of the include. */
export function isFw4File(path: string): boolean {
  return path.startsWith(`${FOLDER}/`);
}

/** Makes fw4 read it. */
export const FW4_RELOAD = "fw4 reload";
