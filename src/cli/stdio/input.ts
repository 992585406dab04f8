/**
 * Reading standard input, as a command whose config is `-` does, and other descriptors of this process.
 * @module
 */
import { joinBytes } from "../../net/bytes.ts";

/** Bytes of one read. */
const PIECE = 1 << 16;

/** More than any config, for a stream may have no end: what is read of it is refused as too large. */
const MOST = 1 << 24;

let text: string | undefined;

/** Reads it to its end; the same text each time. Throws Deno's errors. */
export function readStdin(): string {
  text ??= new TextDecoder().decode(readAll(Deno.stdin));
  return text;
}

/** Reads the descriptor of this process at a path like `/dev/fd/63`. Throws Deno's errors. */
export function readDescriptor(path: string): string {
  using file = Deno.openSync(path);
  return new TextDecoder().decode(readAll(file));
}

/** Something that can be read. */
type Source = Pick<Deno.FsFile, "readSync">;

function readAll(source: Source): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let size = 0; size < MOST;) {
    const piece = new Uint8Array(PIECE);
    const length = readPiece(source, piece);
    if (length === null) break;
    pieces.push(piece.subarray(0, length));
    size += length;
  }
  return joinBytes(pieces);
}

function readPiece(source: Source, piece: Uint8Array): number | null {
  for (;;) {
    try {
      return source.readSync(piece);
    } catch (error) {
      if (error instanceof Deno.errors.Interrupted) continue;
      if (!(error instanceof Deno.errors.WouldBlock)) throw error;
      // The other end made it non-blocking and writes slowly.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
