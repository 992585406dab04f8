/**
 * `tproxy uninstall`.
 * @module
 */
import { object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { TABLE_NAME } from "../../constants.ts";
import { uninstallAll } from "../../kernel/backend.ts";
import type { Command } from "../command.ts";

const parser = object({});

/** The command. */
export const uninstallCommand: Command<InferValue<typeof parser>> = {
  name: "uninstall",
  summary: "Remove exactly what install added, and nothing else",
  details: [
    "It needs no config: the table is known by its name and comment, chains of iptables by theirs, routing rules and " +
    "routes by protocol number and priority; the rules of either backend are removed. " +
    "A proxy that runs is left running, with the connections that it has accepted cut off.",
  ],
  changesState: true,
  parser,
  async run(env) {
    const { removed, foreignTable } = await uninstallAll(env.readTextFile);
    if (foreignTable) {
      env.stderr(
        `tproxy: warning: There is a table inet ${TABLE_NAME} that tproxy did not make; it is left alone\n`,
      );
    }
    env.stdout(
      removed.length === 0
        ? "Nothing is installed.\n"
        : `Uninstalled.\n${removed.map((object) => `  removed  ${object}\n`).join("")}`,
    );
    return 0;
  },
};
