/**
 * The client of the self-test: an ordinary program with ordinary sockets. For TCP they are Deno's own; for
 * UDP Deno has none that tell of a refusal.
 * @module
 */
import { NamespaceHost } from "./namespace_host.ts";
import type { Outcome, Talk, Target } from "../checks/outcome.ts";
import { exchangeDatagram, type Step, talk, type TalkOptions } from "./udp_client.ts";

const CHUNK = 16384;

/** The client. */
export class ClientHost extends NamespaceHost {
  readonly #flows = new Map<string, Deno.TcpConn>();

  /** Connects, sends, half-closes, and reads to the end. */
  async ask(target: Target, options: { send?: string; timeoutMs: number }): Promise<Outcome> {
    return await withTimeout(options.timeoutMs, async (signal) => {
      const connection = await connect(target, signal);
      try {
        const localPort = (connection.localAddr as Deno.NetAddr).port;
        if (options.send !== undefined) await writeAll(connection, new TextEncoder().encode(options.send));
        await connection.closeWrite();
        return { kind: "ok", text: new TextDecoder().decode(await readAll(connection)), localPort };
      } finally {
        connection.close();
      }
    });
  }

  /** Sends random bytes to an echo server while it reads them back; whether they came back as they were. */
  async exchange(target: Target, options: { bytes: number; timeoutMs: number }): Promise<Outcome> {
    const sent = new Uint8Array(options.bytes);
    for (let at = 0; at < sent.length; at += CHUNK) crypto.getRandomValues(sent.subarray(at, at + CHUNK));
    return await withTimeout(options.timeoutMs, async (signal) => {
      const connection = await connect(target, signal);
      try {
        const [received] = await Promise.all([
          readAll(connection),
          writeAll(connection, sent).then(() => connection.closeWrite()),
        ]);
        const same = received.length === sent.length && received.every((byte, i) => byte === sent[i]);
        return same
          ? { kind: "ok", text: `${received.length}`, localPort: 0 }
          : { kind: "error", text: `${received.length} of ${sent.length} bytes came back, or others` };
      } finally {
        connection.close();
      }
    });
  }

  /** Talks over UDP, from one socket. */
  talk(steps: readonly Step[], options: TalkOptions): Promise<Talk> {
    return talk(steps, options);
  }

  /** Sends a datagram of random bytes to an echo server; whether it came back as it was. */
  exchangeDatagram(
    target: Target,
    options: { bytes: number; timeoutMs: number; second?: boolean },
  ): Promise<Outcome> {
    return exchangeDatagram(target, options);
  }

  /** Opens a connection that stays open, under a name. */
  async openFlow(name: string, target: Target): Promise<void> {
    this.#flows.set(name, await Deno.connect({ ...target, transport: "tcp" }));
  }

  /** Sends on an open connection and waits for the echo. */
  async echoOnFlow(name: string, options: { send: string; timeoutMs: number }): Promise<Outcome> {
    const flow = this.#flows.get(name)!;
    return await withTimeout(options.timeoutMs, async () => {
      await writeAll(flow, new TextEncoder().encode(options.send));
      const buffer = new Uint8Array(options.send.length);
      for (let at = 0; at < buffer.length;) {
        const count = await flow.read(buffer.subarray(at));
        if (count === null) return { kind: "error", text: "the connection was closed" };
        at += count;
      }
      return { kind: "ok", text: new TextDecoder().decode(buffer), localPort: 0 };
    });
  }

  /** Closes all connections that are open. */
  closeFlows(): void {
    for (const flow of this.#flows.values()) flow.close();
    this.#flows.clear();
  }
}

async function connect(target: Target, signal: AbortSignal): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ ...target, transport: "tcp", signal });
  // Closing it ends the reads that wait.
  signal.addEventListener("abort", () => {
    try {
      connection.close();
    } catch {
      // closed already
    }
  });
  return connection;
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at, at + CHUNK));
}

async function readAll(connection: Deno.TcpConn): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const chunk = new Uint8Array(CHUNK);
    const count = await connection.read(chunk);
    if (count === null) return await new Blob(chunks).bytes();
    chunks.push(chunk.subarray(0, count));
  }
}

async function withTimeout(
  milliseconds: number,
  work: (signal: AbortSignal) => Promise<Outcome>,
): Promise<Outcome> {
  const controller = new AbortController();
  const timeout = Promise.withResolvers<Outcome>();
  const timer = setTimeout(() => {
    timeout.resolve({ kind: "timeout" });
    controller.abort();
  }, milliseconds);
  try {
    return await Promise.race([timeout.promise, work(controller.signal).catch(outcomeOf)]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads the end of a connection from its error. A reset that comes before shutdown(2) shows as ENOTCONN
 * there.
 */
export function outcomeOf(error: unknown): Outcome {
  const { BrokenPipe, ConnectionRefused, ConnectionReset, NotConnected, TimedOut } = Deno.errors;
  if (error instanceof ConnectionRefused) return { kind: "refused" };
  if ([ConnectionReset, BrokenPipe, NotConnected].some((kind) => error instanceof kind)) {
    return { kind: "reset" };
  }
  if (error instanceof TimedOut) return { kind: "timeout" };
  return { kind: "error", text: error instanceof Error ? error.message : String(error) };
}
