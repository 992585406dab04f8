/**
 * The place of the control socket: only root connects, and only one proxy listens there.
 * @module
 */
import type { Logger } from "../../log.ts";
import { EACCES } from "../../net/errno.ts";
import { OperationError } from "../../net/error.ts";
import { askControl } from "./client.ts";
import { isListenedAt } from "./listening.ts";

/** Nobody but the owner connects. */
const MODE = 0o600;
const HINT = "Set control to another path, or to off";

/** A socket that listens; nobody is answered yet. */
export interface ControlSocket {
  readonly listener: Deno.UnixListener;
  /** Closes it, and leaves nothing at its path. */
  close(): void;
}

/**
 * Opens the socket: where the former proxy was killed, or lets its last connections end, in its place. Throws
 * an OperationError where another proxy has it, or something that is no socket. Where the machine does not
 * let it be, that is said, and undefined: flows are worth more. `succeeds`: to a proxy that may end just now.
 */
export async function openControlSocket(
  path: string,
  log: Logger,
  { succeeds = false } = {},
): Promise<ControlSocket | undefined> {
  if (path === "off") return undefined;
  const found = lookAt(path);
  if (found !== undefined) {
    if (!found.isSocket) throw refusal(path, "there is something that is no socket");
    await refuseOther(path, succeeds);
  }
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")) || "/", { recursive: true, mode: 0o755 });
    if (found !== undefined) clear(path);
    return listen(path);
  } catch (error) {
    log.warn("nobody can ask this proxy", { control: path, reason: String(error) });
    return undefined;
  }
}

function listen(path: string): ControlSocket {
  const mask = Deno.umask(0o777 & ~MODE);
  try {
    const listener = Deno.listen({ transport: "unix", path });
    const own = lookAt(path);
    return {
      listener,
      close() {
        listener.close();
        // Its place may be the next proxy's by now.
        const now = lookAt(path);
        if (now !== undefined && now.ino === own?.ino && now.dev === own.dev) Deno.removeSync(path);
      },
    };
  } finally {
    Deno.umask(mask);
  }
}

/** Refuses where a proxy listens that takes new flows. */
async function refuseOther(path: string, succeeds: boolean): Promise<void> {
  const reply = await askControl(path, { method: "GET", target: "/v1/status" }).catch((error) => {
    if (!(error instanceof OperationError)) throw error;
    if (error.unanswered) throw refusal(path, "a proxy that does not answer has it");
    if (error.errno !== EACCES) {
      if (succeeds) return undefined; // in the midst of the answer
      throw error;
    }
    // Another user's: of a proxy that was killed, perhaps one that ran as root.
    if (isListenedAt(readSockets(), path)) throw refusal(path, "a proxy of another user has it");
    return undefined;
  });
  if (reply === undefined) return;
  const { phase, pid } = readHolder(reply.text);
  if (phase === "draining") return;
  throw refusal(
    path,
    typeof pid === "number" ? `the proxy with pid ${pid} has it` : "another program has it",
  );
}

/** Nothing where it cannot be read: then whoever binds the path finds out. */
function readSockets(): string {
  try {
    return Deno.readTextFileSync("/proc/net/unix");
  } catch {
    return "";
  }
}

function readHolder(text: string): { readonly phase?: unknown; readonly pid?: unknown } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Clears a place, which may be clear by now. */
function clear(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch {
    return undefined;
  }
}

function refusal(path: string, reason: string): OperationError {
  return new OperationError({ operation: "open the control socket", object: path, reason, hint: HINT });
}
