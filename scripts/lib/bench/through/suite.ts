/**
 * The benchmark through a SOCKS5 proxy: v2ray and tproxy. The proxy is the load generator's server itself, so
 * that nothing behind the contestants is slower than they are.
 * @module
 */
import { compileLoad, isAnswered } from "../by_name/load.ts";
import { measureByName } from "../by_name/measures.ts";
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import { MANY_PORTS, prepareEnds } from "../by_name/suite.ts";
import type { Suite } from "../suite.ts";
import { withContestant } from "../turn.ts";
import { THROUGH_CONTESTANTS } from "./contestants.ts";
import { formatThroughTable, judgeThrough, THROUGH_MEASURES } from "./table.ts";

/** A port of the server at which nobody listens: who is answered there has come through the proxy. */
const PORT = 444;

/** The benchmark. */
export const THROUGH_SUITE: Suite = {
  name: "through SOCKS5",
  contestants: THROUGH_CONTESTANTS,
  measures: THROUGH_MEASURES,
  defaults: { rounds: 3, seconds: 2 },
  prepare: compileLoad,
  turn: (contestant, options) =>
    withContestant(contestant, options.workers, {
      prepare,
      reaches: (lab) => isAnswered(lab, "allowed", PORT),
      work: (lab, pid) => measureByName(lab, { only: THROUGH_MEASURES, pid, port: PORT, ...options }),
    }),
  headlines: THROUGH_MEASURES,
  format: formatThroughTable,
  judge: judgeThrough,
};

async function prepare(lab: Lab): Promise<void> {
  await prepareEnds(lab);
  await lab.router.writeSysctl(MANY_PORTS);
  if (await isAnswered(lab, "allowed", PORT)) throw new Error("The server listens where nobody should");
}
