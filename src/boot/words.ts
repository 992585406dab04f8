/**
 * Words of command lines in boot files. Pure.
 * @module
 */
import type { BootSettings } from "./model.ts";

/**
 * Characters of a plain path: neither shells nor systemd nor the dynamic loader treat any of them specially.
 */
const PLAIN_PATH = /^\/[A-Za-z0-9._/+=,-]*$/;

/** Tells whether a path can stand in a boot file as it is. */
export function isPlainPath(path: string): boolean {
  return PLAIN_PATH.test(path);
}

/** The program with a command of its own, and the config where one was named. */
export function programLine({ binary, config }: BootSettings, ...words: readonly string[]): string {
  return [binary, ...words, ...configWords(config)].join(" ");
}

/** `-c FILE`, or nothing. */
export function configWords(config: string | undefined): string[] {
  return config === undefined ? [] : ["-c", config];
}

/** A word that a POSIX shell takes as it is. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9._/+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Open files: two for each connection, up to four more for its pipes. */
export const DESCRIPTORS = 65_536;

/**
 * Seconds between the end of the proxy and its next start: a config that never gets better may not cost a
 * small router its processor, and no network waits long for a proxy that has crashed.
 */
export const RESTART_SECONDS = 2;
