/**
 * A sink of log lines: a descriptor for which nobody ever waits. It keeps lines that the reader does not take
 * in time, and drops and counts them when they become too many; so neither a stopped terminal nor a full pipe
 * holds anything up.
 * @module
 */
import { EAGAIN, EINTR, POLLOUT } from "../../ffi/consts.ts";
import { PollSet } from "../../ffi/poll.ts";
import { closeFd, send } from "../../ffi/sockets/socket.ts";
import { reopenForWriting, writeStream } from "../../ffi/sockets/stream.ts";

/** Bytes that wait for the reader at most. */
const MAX_WAITING = 64 * 1024;
/** The next attempt comes after so many milliseconds, then after twice as many, up to the most. */
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1000;
/** At the end the reader is given so much time. */
const LAST_WAIT_MS = 200;
/**
 * A write of so many bytes does not block where poll(2) has promised room: PIPE_BUF would do for pipes,
 * terminals take less.
 */
const SAFE_WRITE = 256;

/** Bytes taken, or -errno. */
type Write = (bytes: Uint8Array<ArrayBuffer>) => number;

/** See the module. */
export class LogSink {
  /** Is told how many lines are lost as soon as the reader takes some again. */
  onLost: (lines: number) => void = () => {};
  /** Is told the error number of a write that fails, once until one does not. */
  onFailing: (errno: number) => void = () => {};
  /** Lines that are lost, so far. */
  dropped = 0;
  /** Tells that it is a terminal. */
  readonly terminal: boolean;
  #write: Write;
  #close: () => void;
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;
  #lost = 0;
  #fails = false;
  #retryMs = FIRST_RETRY_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Over an open descriptor, which stays open. */
  constructor(fd: number) {
    const { write, close } = chooseWrite(fd);
    this.#write = write;
    this.#close = close;
    this.terminal = fd === 2 && Deno.stderr.isTerminal();
  }

  /** Writes to what a descriptor leads to by now; what waits for the reader before goes there too. */
  move(fd: number): void {
    this.#close();
    const { write, close } = chooseWrite(fd);
    this.#write = write;
    this.#close = close;
  }

  /** Tells whether there is room for lines that matter less than others. */
  get hasRoom(): boolean {
    return this.#size < MAX_WAITING / 2;
  }

  /** Writes a line, now or later, or counts it as lost. */
  write(line: string): void {
    const bytes = new TextEncoder().encode(line);
    if (this.#size + bytes.length > MAX_WAITING) {
      this.#lose(1);
      return;
    }
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    if (this.#waiting.length === 1) this.#flush();
  }

  /** Gives the reader a last, short chance, and ends. */
  async end(): Promise<void> {
    for (let waited = 0; this.#size > 0 && waited < LAST_WAIT_MS; waited += FIRST_RETRY_MS) {
      this.#flush();
      if (this.#size > 0) await new Promise((resolve) => setTimeout(resolve, FIRST_RETRY_MS));
    }
    clearTimeout(this.#timer);
    this.#close();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    let progress = false;
    while (this.#waiting.length > 0) {
      const [bytes] = this.#waiting;
      const written = this.#write(bytes);
      if (written === -EINTR) continue;
      if (written === -EAGAIN) {
        this.#retryMs = progress ? FIRST_RETRY_MS : Math.min(this.#retryMs * 2, LAST_RETRY_MS);
        this.#timer = setTimeout(() => this.#flush(), this.#retryMs);
        return;
      }
      if (written < 0) return this.#fail(-written);
      progress = true;
      this.#fails = false;
      this.#size -= written;
      if (written < bytes.length) this.#waiting[0] = bytes.subarray(written);
      else this.#waiting.shift();
    }
    this.#retryMs = FIRST_RETRY_MS;
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.onLost(lost);
  }

  /** The terminal has gone, or the reader: EIO, EPIPE. A disk that is full may have room again. */
  #fail(errno: number): void {
    this.#lose(this.#waiting.length);
    this.#waiting = [];
    this.#size = 0;
    if (!this.#fails) this.onFailing(errno);
    this.#fails = true;
  }

  #lose(lines: number): void {
    this.#lost += lines;
    this.dropped += lines;
  }
}

/** Chooses a way to write without waiting, by the kind of file that the descriptor leads to. */
function chooseWrite(fd: number): { write: Write; close: () => void } {
  const kind = kindOf(fd);
  const close = () => {};
  if (kind === "socket") return { write: (bytes) => send(fd, bytes, bytes.length), close };
  // A regular file has no reader to wait for; opened again it would be written from its beginning.
  if (kind === "file") return { write: (bytes) => writeStream(fd, bytes), close };
  const own = reopenForWriting(fd);
  if (own >= 0) return { write: (bytes) => writeStream(own, bytes), close: () => void closeFd(own) };
  // Somebody else's terminal, or no /proc: small pieces, and only where there is room.
  const set = new PollSet(1);
  set.set(0, fd, POLLOUT);
  return {
    write: (bytes) => set.wait(0) === 0 ? -EAGAIN : writeStream(fd, bytes.subarray(0, SAFE_WRITE)),
    close,
  };
}

function kindOf(fd: number): "socket" | "file" | "other" {
  try {
    const { isSocket, isFile } = Deno.statSync(`/proc/self/fd/${fd}`);
    return isSocket === true ? "socket" : isFile ? "file" : "other";
  } catch {
    return "other";
  }
}
