/**
 * `tproxy licenses`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { OperationError } from "../../net/error.ts";
import { readLicenses } from "../build_info.ts";
import type { Command } from "../command.ts";

/** The command. */
export const licensesCommand: Command<Record<never, never>> = {
  name: "licenses",
  summary: "Print what is inside this program, with versions and licenses",
  changesState: false,
  parser: object({}),
  run(env) {
    const text = readLicenses(env.readTextFile);
    if (text === undefined) {
      throw new OperationError({
        operation: "read",
        object: "licenses.txt",
        kernelText: "this program runs from source; scripts/build puts the licenses into the product",
      });
    }
    env.stdout(text);
    return 0;
  },
};
