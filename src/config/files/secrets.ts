/**
 * Passwords of upstreams. They are read at the start and at each reload, and handed on apart from the config,
 * so that nothing that shows a config can show them.
 * @module
 */
import { ConfigError, type ConfigProblem } from "../error.ts";
import type { LoadedConfig } from "../load.ts";
import { NOT_PLAIN } from "./plain.ts";
import { readReason } from "./reason.ts";

/** A password. Printed, or made JSON of, it is three dots. */
export class Secret {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /** The password itself: for the talk with the upstream alone. */
  reveal(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  toString(): string {
    return "…";
  }

  toJSON(): string {
    return "…";
  }

  [Symbol.for("Deno.customInspect")](): string {
    return "…";
  }
}

/** Passwords by the name of their upstream. */
export type Secrets = ReadonlyMap<string, Secret>;

/** The machine's files, as far as a password needs them. Throws Deno's errors. */
export interface SecretFiles {
  readonly stat: (path: string) => Pick<Deno.FileInfo, "isFile" | "mode" | "size">;
  readonly readFile: (path: string) => Uint8Array<ArrayBuffer>;
}

/** RFC 1929 gives the length one byte. */
const MAX_SOCKS5_BYTES = 255;
const MAX_BYTES = 4096;
const OTHERS = 0o077;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/**
 * Reads every password that the config names. Throws a ConfigError with the places of all that cannot serve.
 */
export function readSecrets(
  { config, origin, locate }: LoadedConfig,
  files: SecretFiles = { stat: Deno.statSync, readFile: Deno.readFileSync },
): Secrets {
  const secrets = new Map<string, Secret>();
  const problems: ConfigProblem[] = [];
  for (const [name, upstream] of Object.entries(config.upstreams)) {
    if (!("passwordFile" in upstream) || upstream.passwordFile === undefined) continue;
    const path = upstream.passwordFile;
    const max = upstream.type === "socks5" ? MAX_SOCKS5_BYTES : MAX_BYTES;
    const secret = tryToRead(path, max, files);
    if (secret instanceof Secret) {
      secrets.set(name, secret);
      continue;
    }
    const place = locate(["upstreams", name, "password-file"]) ?? { line: 0, column: 0 };
    problems.push({ ...place, text: `upstreams.${name}.password-file: cannot use ${path}: ${secret}` });
  }
  if (problems.length > 0) throw new ConfigError(origin, problems);
  return secrets;
}

/** Returns the password, or the reason why there is none. */
function tryToRead(path: string, max: number, { stat, readFile }: SecretFiles): Secret | string {
  try {
    // Before it is opened: reading a pipe would wait.
    const { isFile, mode, size } = stat(path);
    if (!isFile) return NOT_PLAIN;
    if (mode !== null && (mode & OTHERS) !== 0) {
      return `others than its owner may use it (mode ${(mode & 0o777).toString(8)}), do: chmod 600 ${path}`;
    }
    if (size > MAX_BYTES) return `it is larger than ${MAX_BYTES} bytes`;
    const bytes = withoutLineEnd(readFile(path));
    if (bytes.length === 0) return "it is empty";
    if (bytes.length > max) return `the password is longer than ${max} bytes`;
    if (bytes.some((byte) => byte < 0x20)) {
      return "the password is more than one line, or has control characters";
    }
    return new Secret(bytes);
  } catch (error) {
    return readReason(error);
  }
}

/** Takes off one line end. */
function withoutLineEnd(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (bytes.at(-1) !== LINE_FEED) return bytes;
  return bytes.slice(0, bytes.at(-2) === CARRIAGE_RETURN ? -2 : -1);
}
