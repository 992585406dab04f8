/**
 * The way to the page as an administrator goes it: `ssh -L` from the client to the router, and a browser.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import { controlPath } from "../proxy/proxy.ts";
import { makeSshKey, startSshd } from "../upstreams/sshd.ts";
import { type Browser, startBrowser } from "./browser.ts";

/** Programs that it needs. */
export const TUNNEL_PROGRAMS = ["chromium", "ssh", "sshd", "ssh-keygen"];
/** The address of the page on the client. */
export const PAGE = "http://localhost:8080/";

/** Opens a tunnel to the proxy's control socket, and starts a browser at its near end. */
export async function startTunnel(lab: Lab): Promise<Browser> {
  const [key, hostKey] = [await makeSshKey(lab, "admin.key"), await makeSshKey(lab, "host.key")];
  const { lan } = ADDRESSES[4];
  await startSshd(lab, hostKey, [
    `ListenAddress ${lan}`,
    `AuthorizedKeysFile ${key}.pub`,
    "PermitRootLogin prohibit-password",
    "StrictModes no",
  ], lab.router);
  const known = lab.writeFile("router.hosts", `${lan} ${Deno.readTextFileSync(`${hostKey}.pub`)}`);
  const options = ["-F", "none", "-i", key, "-o", `UserKnownHostsFile=${known}`, "-o", "BatchMode=yes"];
  const tunnel = ["-N", "-L", `8080:${controlPath(lab)}`, `root@${lan}`];
  await lab.client.start(["ssh", ...options, ...tunnel], { listens: 8080 });
  return await startBrowser(lab.client, `${lab.directory}/browser`);
}
