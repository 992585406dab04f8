/**
 * SYN cookies for every connection (tcp_syncookies=2). Taken early, the packet that ends the handshake finds
 * no socket, is forwarded, and the server resets. Pure, but for reading.
 * @module
 */
import type { Check } from "../check.ts";
import { type Finding, warning, works } from "../finding.ts";
import { blame, readSysctl, type Sysctl } from "../machine/sysctl.ts";
import { programNames, type Situation } from "../situation.ts";

/** The check. */
export const synCookies: Check<Sysctl> = {
  id: "syn-cookies",
  read: ({ files }) => readSysctl(files, "net.ipv4.tcp_syncookies"),
  judge: judgeSynCookies,
};

/** Judges the setting. */
export function judgeSynCookies(setting: Sysctl, situation: Situation): Finding[] {
  const id = "syn-cookies";
  const what = `${setting.name} = ${setting.value ?? "none"}`;
  if (setting.value !== "2" || !situation.config.intercept.protocols.includes("tcp")) {
    return [works(id, what)];
  }
  if (situation.admission.inForce === "forward-path") return [works(id, what, "cookies find the proxy")];
  const cause = blame(setting, {
    programs: programNames(situation),
    suspects: [],
    otherwise: "it is not known who sets it",
  });
  return [warning(id, {
    what,
    blocks: true,
    cause:
      `Every connection is then answered with a cookie, and its next packet finds no socket: reset; ${cause}`,
    remedy: `sysctl -w ${setting.name}=1, or set intercept.admission to forward-path`,
  })];
}
