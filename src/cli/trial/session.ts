/**
 * The SSH session in which a command runs.
 * @module
 */
import type { Env } from "../env.ts";
import { readOrEmpty } from "../read_or_empty.ts";

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
    // A parent may have ended, or be somebody else's.
    const found = readOrEmpty(env, `/proc/${pid}/environ`).split("\0").find((word) =>
      word.startsWith(`${NAME}=`)
    );
    if (found !== undefined) return found.slice(NAME.length + 1);
    // proc(5): pid (name) state ppid; a name may hold brackets and spaces.
    const [, after = ""] = /.*\)(.*)/s.exec(readOrEmpty(env, `/proc/${pid}/stat`)) ?? [];
    pid = Number(after.trim().split(" ").at(1) ?? 0);
  }
  return undefined;
}
