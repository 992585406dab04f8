/**
 * Findings of doctor. Pure.
 * @module
 */
import { errnoCode, errnoText } from "../net/errno.ts";

/**
 * `missing`: the kernel lacks it. `not permitted`: it could not be tried. `warning`: it is there and gets in
 * the way.
 */
export type FindingState = "works" | "missing" | "not permitted" | "warning";

/** A part of the kernel that is missing. */
export interface MissingPart {
  /** The name of the module; a part that is never one has none. */
  readonly module?: string;
  /**
   * The symbol of the kernel's configuration: `CONFIG_NFT_TPROXY`. Missing where the part is none of ours.
   */
  readonly config?: string;
  /** OpenWrt's package of it, or packages with blanks between. */
  readonly openWrtPackage?: string;
}

/** One finding. The shape is that of `tproxy doctor --json`: stable, keys are only ever added. */
export interface Finding {
  /** Its name: stable, in lower case with hyphens. Several findings may share one. */
  readonly id: string;
  readonly state: FindingState;
  /** Set where something that the config asks for does not work because of it, or could not be tried. */
  readonly blocks: boolean;
  /** The subject, in one line. */
  readonly what: string;
  /** The reason, and who caused it as far as that is known; may be empty where it works. */
  readonly cause: string;
  /** The remedy; may be empty. */
  readonly remedy: string;
  /** The part of the kernel that is missing, where that is the cause. */
  readonly part?: MissingPart;
  /** Ids of what else does not work for the same cause; they have no finding of their own then. */
  readonly also?: readonly string[];
}

/** A finding of something that is as it should be. */
export function works(id: string, what: string, cause = ""): Finding {
  return { id, state: "works", blocks: false, what, cause, remedy: "" };
}

/** A finding of something that gets in the way; it blocks only if that is said. */
export function warning(
  id: string,
  details: { what: string; cause: string; remedy: string; blocks?: boolean },
): Finding {
  return { id, state: "warning", ...details, blocks: details.blocks ?? false };
}

/** A finding of something that only root can look at. */
export function notPermitted(
  id: string,
  details: { what: string; errno: number; blocks: boolean },
): Finding {
  return {
    id,
    state: "not permitted",
    blocks: details.blocks,
    what: details.what,
    cause: describeErrno(details.errno),
    remedy: "Run doctor as root (CAP_NET_ADMIN): try sudo",
  };
}

/** `EPERM (Operation not permitted)`. */
export function describeErrno(errno: number): string {
  return `${errnoCode(errno)} (${errnoText(errno)})`;
}
