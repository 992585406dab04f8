/**
 * The benchmark by name: plain forwarding, HAProxy, v2ray and tproxy, which watches, with a list of names
 * that lets the measured flows pass.
 * @module
 */
import type { Lab } from "../../../../tests/laboratory/lab.ts";
import type { Contestant, Suite } from "../suite.ts";
import { withContestant } from "../turn.ts";
import { BY_NAME_CONTESTANTS } from "./contestants.ts";
import { compileLoad, isAnswered, startServer } from "./load.ts";
import { BY_NAME_MEASURES, measureByName } from "./measures.ts";
import { BY_NAME_HEADLINES, formatByNameTable, judgeByName } from "./table.ts";

/** The benchmark. */
export const BY_NAME_SUITE: Suite = {
  name: "by name",
  contestants: BY_NAME_CONTESTANTS,
  measures: BY_NAME_MEASURES,
  defaults: { rounds: 5, seconds: 2 },
  prepare: compileLoad,
  turn: (contestant, options) =>
    withContestant(contestant, options.workers, {
      prepare: prepareEnds,
      reaches: (lab) => isAnswered(lab, "allowed"),
      work: async (lab, pid) => {
        await proveRefusal(lab, contestant, pid);
        return measureByName(lab, { pid, ...options });
      },
    }),
  headlines: BY_NAME_HEADLINES,
  format: formatByNameTable,
  judge: judgeByName,
};

/** A connection uses up a port: more of them, for who dials. */
export const MANY_PORTS = { "net.ipv4.ip_local_port_range": "1024 65535", "net.ipv4.tcp_tw_reuse": 1 };

/** Starts the server, and gives the client ports enough. */
export async function prepareEnds(lab: Lab): Promise<void> {
  await startServer(lab);
  await lab.client.writeSysctl(MANY_PORTS);
}

/** The router forwards: who is in the path shows in what he refuses. */
async function proveRefusal(lab: Lab, { name }: Contestant, pid: number | undefined): Promise<void> {
  if (await isAnswered(lab, "listed") !== (pid === undefined)) {
    throw new Error(`${name}: ${pid === undefined ? "somebody refuses" : "lets pass"} a name of the list`);
  }
}
