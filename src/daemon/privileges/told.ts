/**
 * The launcher's words about the power that it has left to the proxy, in the environment (ffi/launcher/
 * privileges.c). Pure.
 * @module
 */
import type { Environment } from "../manager/service.ts";

/** The work of the launcher. */
export interface Told {
  /** Reason why all privileges were kept; undefined: they were not. */
  readonly kept: string | undefined;
  /** Version of Landlock; 0: it is not in force. */
  readonly landlock: number;
  /** Socket of the one who opens files; -1: there is none. */
  readonly files: number;
  /** Socket of the one who changes the kernel's rules; -1: there is none. */
  readonly netlink: number;
  /** Parts that were not possible, each with the reason. */
  readonly missing: readonly string[];
}

const NAME = "TPROXY_PRIVILEGES";

/** Reads the variable and removes it: it is for this process alone. */
export function takeTold(environment: Environment): Told {
  const text = environment.get(NAME);
  environment.delete(NAME);
  return text === undefined
    ? { kept: "not started by the launcher", landlock: 0, files: -1, netlink: -1, missing: [] }
    : parseTold(text);
}

/** `landlock=7;files=104;missing=another user: Operation not permitted;`. */
export function parseTold(text: string): Told {
  const pairs = text.split(";").filter((part) => part !== "").map((part) => {
    const at = part.indexOf("=");
    return [part.slice(0, at), part.slice(at + 1)] as const;
  });
  const last = (name: string) => pairs.findLast(([key]) => key === name)?.[1];
  const number = (name: string, otherwise: number) =>
    /^\d+$/.test(last(name) ?? "") ? Number(last(name)) : otherwise;
  return {
    kept: last("kept"),
    landlock: number("landlock", 0),
    files: number("files", -1),
    netlink: number("netlink", -1),
    missing: pairs.filter(([key]) => key === "missing").map(([, value]) => value),
  };
}
