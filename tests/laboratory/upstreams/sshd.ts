/**
 * sshd: in the server namespace an upstream (`ssh -D`), in the router's a way to its sockets (`ssh -L`).
 * @module
 */
import type { Lab } from "../lab.ts";
import type { Namespace } from "../namespace.ts";
import type { Program } from "../program.ts";

/** Makes a key without a password, and gives its path; the public one is at `.pub`. */
export async function makeSshKey(lab: Lab, name: string): Promise<string> {
  const path = `${lab.directory}/${name}`;
  await lab.server.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path]);
  return path;
}

/** Starts it on port 22 with this key of the host; `settings` are further lines of its config. */
export function startSshd(
  lab: Lab,
  hostKey: string,
  settings: readonly string[] = [],
  namespace: Namespace = lab.server,
): Promise<Program> {
  const lines = [`HostKey ${hostKey}`, "Port 22", "PidFile none", "UsePAM no", ...settings, ""];
  const config = lab.writeFile("sshd.conf", lines.join("\n"));
  // It wants /run/sshd, and the path by which it was started. The machine's own /run stays as it is.
  const alone = `mount -t tmpfs none /run && mkdir /run/sshd && exec $(command -v sshd) -D -e -f ${config}`;
  return namespace.start(["unshare", "-m", "sh", "-c", alone], { listens: 22 });
}
