/**
 * The UDP benchmark: plain forwarding, v2ray and tproxy (one worker).
 * @module
 */
import type { Contestant, Sample, Suite, TurnOptions } from "../suite.ts";
import { withContestant } from "../turn.ts";
import { UDP_CONTESTANTS } from "./contestants.ts";
import { answers, compileLoad } from "./load.ts";
import { measureSessions, measureTraffic, UDP_MEASURES } from "./measures.ts";
import { formatUdpTable, judgeUdp, UDP_HEADLINES } from "./table.ts";

/** The benchmark. */
export const UDP_SUITE: Suite = {
  name: "UDP",
  contestants: UDP_CONTESTANTS,
  measures: UDP_MEASURES,
  defaults: { rounds: 3, seconds: 2 },
  prepare: compileLoad,
  turn,
  headlines: UDP_HEADLINES,
  format: formatUdpTable,
  judge: judgeUdp,
};

async function turn(contestant: Contestant, options: TurnOptions): Promise<Sample> {
  const ends = { prepare: () => Promise.resolve(), reaches: answers };
  const traffic = await withContestant(contestant, options.workers, {
    ...ends,
    work: (lab, pid) => measureTraffic(lab, { pid, ...options }),
  });
  const isProxy = contestant.lab.forwarding !== true;
  if (!isProxy || options.only?.includes("sessions") === false) return traffic;
  // In a laboratory of its own: after heavy traffic there is free memory that sessions would use.
  const sessions = await withContestant(contestant, options.workers, {
    ...ends,
    work: (lab, pid) => measureSessions(lab, pid!),
  });
  return { ...traffic, ...sessions };
}
