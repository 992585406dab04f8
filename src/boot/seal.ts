/**
 * The head of each file: whose it is, and a checksum by which a change by hand is seen. Pure.
 *
 * ```
 * #!/bin/sh /etc/rc.common                                   (where there is one)
 * # Made by "tproxy install --boot …". Checksum: 1c291ca3.
 * # Settings: {"binary":"/usr/bin/tproxy","drainSeconds":30,…}
 * ```
 * @module
 */
import type { BootFile, BootSettings, ManagerName } from "./model.ts";

/** The bringer of a file: the command, or a package with the same text. */
export type Maker = "install" | "package";

/** Origin of a file. */
export interface Origin {
  readonly maker: Maker;
  readonly manager: ManagerName;
}

/** Contents of a file's head. */
export interface Seal extends Origin {
  /** The text is as it was made. */
  readonly intact: boolean;
  readonly settings: BootSettings;
}

const HEADS: Readonly<Record<Maker, (manager: ManagerName) => string>> = {
  install: (manager) =>
    `# Made by "tproxy install --boot ${manager}"; "tproxy uninstall" removes it, unless it has been changed.`,
  package: (manager) => `# Part of the package tproxy, for ${manager}.`,
};
const MAKERS: readonly Maker[] = ["install", "package"];
const MANAGERS: readonly ManagerName[] = ["systemd", "openwrt", "openrc"];
const ORIGINS: readonly Origin[] = MAKERS.flatMap((maker) => MANAGERS.map((manager) => ({ maker, manager })));
const CHECKSUM = /^(# .*) Checksum: ([0-9a-f]{8})\.$/;
const SETTINGS = "# Settings: ";

/** Puts the head on a file. The checksum covers everything but its own line. */
export function sealFile(file: BootFile, settings: BootSettings, { maker, manager }: Origin): BootFile {
  const lines = file.text.split("\n");
  const at = lines[0].startsWith("#!") ? 1 : 0;
  lines.splice(at, 0, `${SETTINGS}${JSON.stringify(settings)}`);
  const head = `${HEADS[maker](manager)} Checksum: ${checksum(lines.join("\n"))}.`;
  return { ...file, text: lines.toSpliced(at, 0, head).join("\n") };
}

/** Reads the head of a file; undefined where it has none, so that the file is somebody else's. */
export function readSeal(text: string): Seal | undefined {
  const lines = text.split("\n");
  const at = lines[0].startsWith("#!") ? 1 : 0;
  const match = CHECKSUM.exec(lines[at] ?? "");
  const origin = ORIGINS.find(({ maker, manager }) => HEADS[maker](manager) === match?.[1]);
  const settings = readSettings(lines[at + 1]);
  if (match === null || origin === undefined || settings === undefined) return undefined;
  return { ...origin, intact: match[2] === checksum(lines.toSpliced(at, 1).join("\n")), settings };
}

function readSettings(line: string | undefined): BootSettings | undefined {
  if (!line?.startsWith(SETTINGS)) return undefined;
  try {
    const value = JSON.parse(line.slice(SETTINGS.length));
    return typeof value?.binary === "string" && typeof value.drainSeconds === "number" ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * CRC-32 of the text in UTF-8, as zlib has it, in eight hexadecimal digits. It is for accidents, not for
 * attackers.
 */
export function checksum(text: string): string {
  let crc = ~0;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}
