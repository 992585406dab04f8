/**
 * The topic `files`.
 * @module
 */
import { DEFAULT_CACHE_PATH, DEFAULT_CONFIG_PATH, RUN_DIRECTORY } from "../../../constants.ts";
import type { Topic } from "../topic.ts";

const WIDTH = 51;

function row(path: string, text: string): string {
  return `  ${path.padEnd(WIDTH)} ${text}`;
}

/** Variables that it reads, each with what it does. Service managers and shells set further ones. */
export const ENVIRONMENT: readonly (readonly [name: string, text: string])[] = [
  ["TPROXY_CACHE_DIR", "where the single file unpacks; named, the form image unpacks too"],
  ["NO_COLOR", "not empty: no colours. TERM=dumb has the same effect"],
  ["SSH_CONNECTION", "the session, for install --confirm and confirm"],
  ["SOURCE_DATE_EPOCH", "the date of the manual page, in seconds since 1970"],
];

/** Paragraphs about what is on the machine. */
export const FILES: readonly string[] = [
  row(DEFAULT_CONFIG_PATH, "the config"),
  row(`${RUN_DIRECTORY}/`, "of a running proxy: its control socket, and what it puts back at its end"),
  row(DEFAULT_CACHE_PATH, "what the single file unpacks; TPROXY_CACHE_DIR names another place"),
  row("/etc/systemd/system/tproxy.service", "install --boot, systemd"),
  row("/etc/init.d/tproxy", "install --boot, OpenWrt and OpenRC"),
  row("/usr/share/nftables.d/chain-pre/input/20-tproxy.nft", "install --boot, OpenWrt's fw4"),
  row("/lib/upgrade/keep.d/tproxy", "install --boot, OpenWrt: what sysupgrade keeps"),
  "In the kernel: table inet transparent_proxy (install), table inet transparent_proxy_live (run), routing rules and routes of " +
  'protocol 50, table 100 of routing. "tproxy uninstall" takes all of it away.',
];

/** See the module. */
export const FILES_TOPIC: Topic = {
  name: "files",
  summary: "Files that it reads and writes, and its environment",
  write: () => [...FILES, "Environment:", ...ENVIRONMENT.map(([name, text]) => row(name, text))],
};
