/**
 * Files that root alone may open, by the process that the launcher has left for that: it opens what the
 * config names, and nothing else.
 * @module
 */
import { askForDescriptor } from "../../../ffi/sockets/descriptor.ts";
import { closeFd } from "../../../ffi/sockets/socket.ts";
import { openForAppending, readStream } from "../../../ffi/sockets/stream.ts";
import { tooLarge } from "../../config/files/plain.ts";
import { MAX_LIST_BYTES } from "../../names/list/read.ts";
import { joinBytes } from "../../net/bytes.ts";
import { EACCES, ENOENT, EPERM, EPIPE, EROFS, errnoCode } from "../../net/errno.ts";

/** Bytes of one read. */
const PIECE = 1 << 16;

/** The files that a config names. */
export interface ConfigFiles {
  /** All but the last throw Deno's errors. */
  readonly readTextFile: (path: string) => string;
  readonly readFile: (path: string) => Uint8Array<ArrayBuffer>;
  readonly stat: (path: string) => Pick<Deno.FileInfo, "isFile" | "mode" | "size">;
  /** Opens an access log for writing at its end. The descriptor or -errno. */
  readonly openForAppending: (path: string, mode: number) => number;
}

/** Calls of this process itself. */
const OWN: ConfigFiles = {
  readTextFile: (path) => Deno.readTextFileSync(path),
  readFile: (path) => Deno.readFileSync(path),
  stat: (path) => Deno.statSync(path),
  openForAppending,
};

/**
 * The files, as this process may open them, or else as the server does. `fd`: the socket; -1: there is no
 * server. `readTextFile` is tried first for texts.
 */
export function openConfigFiles(fd: number, own: Partial<ConfigFiles> = {}): ConfigFiles {
  const plain = { ...OWN, ...own };
  const first = <T>(path: string, work: () => T, served: (fd: number) => T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
      const file = ask(fd, "r", path);
      if (file < 0) throw refusal(file, path);
      try {
        return served(file);
      } finally {
        closeFd(file);
      }
    }
  };
  return {
    readTextFile: (path) =>
      first(path, () => plain.readTextFile(path), (file) => new TextDecoder().decode(readAll(file))),
    readFile: (path) => first(path, () => plain.readFile(path), readAll),
    stat: (path) => first(path, () => plain.stat(path), (file) => Deno.statSync(`/proc/self/fd/${file}`)),
    openForAppending(path, mode) {
      const opened = plain.openForAppending(path, mode);
      if (opened !== -EACCES && opened !== -EPERM && opened !== -EROFS) return opened;
      const served = ask(fd, "a", path);
      return served >= 0 ? served : opened;
    },
  };
}

function ask(fd: number, purpose: "r" | "a", path: string): number {
  return fd < 0 ? -EPIPE : askForDescriptor(fd, new TextEncoder().encode(`${purpose}${path}`));
}

function readAll(fd: number): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let size = 0; size <= MAX_LIST_BYTES;) {
    const piece = new Uint8Array(PIECE);
    const length = readStream(fd, piece);
    if (length < 0) throw new Error(`${errnoCode(-length)} while it is read`);
    if (length === 0) return joinBytes(pieces);
    pieces.push(piece.subarray(0, length));
    size += length;
  }
  throw new Error(tooLarge(MAX_LIST_BYTES));
}

/**
 * Makes an error of the server's answer: what it has found where it has looked, else what to do, for root's
 * EACCES is no reason that anybody knows.
 */
function refusal(reason: number, path: string): Error {
  if (reason !== -EPERM && reason !== -EPIPE && reason !== -EACCES) {
    const Kind = reason === -ENOENT ? Deno.errors.NotFound : Error;
    return Object.assign(new Kind(`${errnoCode(-reason)}: ${path}`), { code: errnoCode(-reason) });
  }
  const because = reason === -EPERM
    ? "and the config does not name it word for word for the process that opens files as root: write the path " +
      "there as it is, without escapes and aliases"
    : reason === -EPIPE
    ? "and nobody is there who opens files as root: restart the proxy"
    : "and whoever opens files for it may not either";
  return new Deno.errors.PermissionDenied(
    `EACCES (Permission denied): the proxy runs as uid ${Deno.uid()}, ${because}; or let that user read ${path}`,
  );
}
