/**
 * `tproxy man`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { ABOUT } from "../arguments/usage.ts";
import type { Command } from "../command.ts";
import type { Env } from "../env.ts";
import { VERSION } from "../version.ts";

/** The command. */
export const manCommand: Command<Record<never, never>> = {
  name: "man",
  summary: "Print the manual page, for man",
  details: [
    "All of tproxy help in one page: roff, as man and mandoc set it. Its date is today's, or that of SOURCE_DATE_EPOCH.",
  ],
  examples: ["man > /usr/local/share/man/man8/tproxy.8"],
  changesState: false,
  parser: object({}),
  async run(env, _options, commands) {
    const { formatPage } = await import("../man/page.ts");
    env.stdout(formatPage(await commands.loadAll(), ABOUT, { version: VERSION, date: dateOf(env) }));
    return 0;
  },
};

/** See reproducible-builds.org: builders name the time of what they build. */
function dateOf({ getenv, now }: Env): Date {
  const seconds = getenv("SOURCE_DATE_EPOCH") ?? "";
  return /^\d{1,10}$/.test(seconds) ? new Date(Number(seconds) * 1000) : now();
}
