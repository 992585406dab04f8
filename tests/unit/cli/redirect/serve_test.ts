/** The loop of `tproxy redirect`, and its one connection without -l. */
import assert from "node:assert/strict";
import { ECONNRESET } from "../../../../ffi/consts.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { serveRedirect } from "../../../../src/cli/redirect/serve.ts";
import { DEFAULT_CONFIG } from "../../../../src/config/defaults.ts";
import type { Sockaddr } from "../../../../src/dataplane/upstream/upstream.ts";
import { createLogger } from "../../../../src/log.ts";
import { show, TARGET, writeDown } from "../../dataplane/support/redirect.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import {
  accept,
  addressOf,
  closedPort,
  dial,
  finish,
  listen,
  readText,
  sendAll,
} from "../../ffi/support/tcp.ts";

/** Runs the loop for one connection, with two clients in the queue; how it went, and what the second saw. */
function runOnce(upstream: Sockaddr): { reached: boolean; ends: unknown[]; reports: string[] } {
  const listener = listen();
  const clients = [dial(addressOf(listener)), dial(addressOf(listener))];
  sendAll(clients[0], "hello");
  finish(clients[0]);
  const reports: string[] = [];
  const reached = serveRedirect({
    listeners: [listener],
    target: { ...TARGET, upstreams: [upstream] },
    report: writeDown(reports),
    once: true,
    log: createLogger({ level: "error", format: "text", write: () => {} }),
    // Nobody answers: with the last of them it ends.
    timeouts: { ...DEFAULT_CONFIG.timeouts, connectMs: 1000, tcpIdleMs: 1000, halfClosedMs: 100 },
  });
  const ends = clients.map((fd) => readText(fd).end);
  clients.forEach(closeFd);
  return { reached, ends, reports };
}

descriptorTest("serveRedirect() serves one client when it is told to, and resets the next", () => {
  const server = listen();
  const { reached, ends, reports } = runOnce(addressOf(server));
  assert.equal(reached, true);
  assert.deepEqual(reports, [`handling ${show(addressOf(server))}`]);
  assert.deepEqual(ends, [-ECONNRESET, -ECONNRESET]);
  const upstream = accept(server);
  assert.equal(readText(upstream, 5).text, "hello");
  closeFd(upstream);
  closeFd(server);
});

descriptorTest("serveRedirect() tells that its one client has reached nobody", () => {
  const { reached, reports } = runOnce(closedPort());
  assert.equal(reached, false);
  assert.equal(reports.length, 1);
});
