/**
 * The rules of the backend netlink. Pure.
 * @module
 */
import type { Compiler } from "../backend/compiler.ts";
import { renderScript } from "./script.ts";

/** See the module. */
export const NFT_COMPILER: Compiler = {
  name: "netlink",
  format: "nft",
  needsRoot: false,
  compile: (plan) => ({ script: (options) => renderScript(plan, options), document: {} }),
  warnings: () => [],
  describeFailure: () => "",
};
