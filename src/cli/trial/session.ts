/**
 * The SSH session in which a command runs.
 * @module
 */
import type { Env } from "../env.ts";

const NAME = "SSH_CONNECTION";
/** Parents that are asked at most: /proc may change while it is read. */
const MOST = 64;

/**
 * Finds SSH_CONNECTION, the addresses and ports of the session. sudo and su take it out of the environment,
 * so those of the parents are asked as well. undefined: a console.
 */
export function sshSession(env: Env, parent = Deno.ppid): string | undefined {
  const own = env.getenv(NAME);
  if (own !== undefined && own !== "") return own;
  let pid = parent;
  for (let i = 0; i < MOST && pid > 1; i++) {
    const found = readOr(env, `/proc/${pid}/environ`).split("\0").find((word) => word.startsWith(`${NAME}=`));
    if (found !== undefined) return found.slice(NAME.length + 1);
    // proc(5): pid (name) state ppid; a name may hold brackets and spaces.
    const [, after = ""] = /.*\)(.*)/s.exec(readOr(env, `/proc/${pid}/stat`)) ?? [];
    pid = Number(after.trim().split(" ").at(1) ?? 0);
  }
  return undefined;
}

function readOr(env: Env, path: string): string {
  try {
    return env.readTextFile(path);
  } catch {
    return ""; // it has ended, or is somebody else's
  }
}
