/**
 * Sockets of a namespace as `ss` lists them, and socat peers.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import type { Namespace } from "../namespace.ts";
import type { Program } from "../program.ts";
import { until } from "../machine/wait.ts";

/** TCP sockets of the namespace that match an `ss` filter, one line each; `options`: flags such as `-o`. */
export async function listSockets(
  namespace: Namespace,
  filter: string,
  options: readonly string[] = [],
): Promise<string[]> {
  const { stdout } = await namespace.run(["ss", "-Htn", ...options, ...filter.split(" ")]);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Waits until so many sockets match. */
export async function waitForSockets(
  namespace: Namespace,
  options: { filter: string; count: number; timeoutMs?: number },
): Promise<void> {
  const { filter, count, ...rest } = options;
  await until(async () => (await listSockets(namespace, filter)).length === count, {
    what: `${count} sockets "${filter}" in ${namespace.name}`,
    pollMs: 50,
    ...rest,
  });
}

/** `TCP:address:port` of the server for socat. */
export function socatServer(family: 4 | 6, port: number): string {
  return family === 4 ? `TCP4:${ADDRESSES[4].server}:${port}` : `TCP6:[${ADDRESSES[6].server}]:${port}`;
}

/** A socat in the client namespace, connected to the server's port: write to it, read its stdout. */
export function connectClient(
  lab: Lab,
  port: number,
  options: { family?: 4 | 6; source?: number } = {},
): Promise<Program> {
  const server = socatServer(options.family ?? 4, port);
  const source = options.source === undefined ? "" : `,sourceport=${options.source}`;
  // -t 30: after end of file in one direction the other goes on. -dd: says when a side ends.
  return lab.client.start(["socat", "-dd", "-t30", "-", `${server}${source}`]);
}

/** A socat in the server namespace that serves each connection with a shell command. */
export function serve(lab: Lab, port: number, command: string): Promise<Program> {
  const listener = `TCP6-LISTEN:${port},ipv6only=0,fork,reuseaddr,backlog=1000`;
  return lab.server.start(["socat", "-dd", "-t30", listener, `SYSTEM:${command}`], { listens: port });
}
