/**
 * The TCP benchmark: plain forwarding, HAProxy (one thread) and tproxy (one worker).
 * @module
 */
import { ADDRESSES, type Lab } from "../../../../tests/laboratory/lab.ts";
import { startNginx } from "../../../../tests/laboratory/programs/nginx.ts";
import type { Suite } from "../suite.ts";
import { TCP_CONTESTANTS } from "./contestants.ts";
import { measureTcp, TCP_MEASURES } from "./measures.ts";
import { formatTcpTable, judgeTcp } from "./table.ts";
import { withContestant } from "../turn.ts";

/** The benchmark. */
export const TCP_SUITE: Suite = {
  name: "TCP",
  contestants: TCP_CONTESTANTS,
  measures: TCP_MEASURES,
  defaults: { rounds: 5, seconds: 5 },
  turn: (contestant, options) =>
    withContestant(contestant, options.workers, {
      prepare,
      reaches,
      work: (lab, pid) => measureTcp(lab, { pid, ...options }),
    }),
  headlines: TCP_MEASURES,
  format: formatTcpTable,
  judge: judgeTcp,
};

async function prepare(lab: Lab): Promise<void> {
  await startNginx(lab, { accessLog: false });
  await lab.server.start(["iperf3", "-s"], { listens: 5201 });
  // A connection for each request uses up ports: more of them.
  await lab.client.writeSysctl({
    "net.ipv4.ip_local_port_range": "1024 65535",
    "net.ipv4.tcp_tw_reuse": 1,
  });
}

async function reaches(lab: Lab): Promise<boolean> {
  const argv = ["curl", "-sfm1", "-o/dev/null", `http://${ADDRESSES[4].server}/`];
  return (await lab.client.run(argv, { mayFail: true })).code === 0;
}
