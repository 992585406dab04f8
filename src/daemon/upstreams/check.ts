/**
 * One check of an upstream: its socket, the talk that comes before bytes may pass, and, with `target`, a
 * whole tunnel to a server.
 * @module
 */
import { EAGAIN, POLLIN, POLLOUT } from "../../../ffi/consts.ts";
import { makeSockaddr, portOf, readSockaddr, setPort, writeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { closeFd, send } from "../../../ffi/sockets/socket.ts";
import { resetOnClose, takeSocketError } from "../../../ffi/sockets/sockopt.ts";
import type { CheckConfig } from "../../config/upstreams/types.ts";
import { connectFrom } from "../../dataplane/upstream/direct.ts";
import { WayConnector } from "../../dataplane/upstream/own_way.ts";
import {
  CONFIGURATION,
  type Greeting,
  MOST_ANSWER,
  TARGET,
  type Target,
} from "../../dataplane/upstream/greetings/greeting.ts";
import { hear } from "../../dataplane/upstream/greetings/hear.ts";
import { ProxyHeader } from "../../dataplane/upstream/greetings/proxy_header.ts";
import { makeGreeting } from "../../dataplane/upstream/make_greeting.ts";
import type { UpstreamProtocol, UpstreamSettings } from "../../dataplane/upstream/settings.ts";
import type { Sockaddr } from "../../dataplane/upstream/upstream.ts";
import { errnoCode } from "../../net/errno.ts";
import { formatEndpoint, parseIp } from "../../net/ip.ts";
import type { CheckResult } from "./check_plan.ts";
import { type Pauses, waitForSocket } from "./socket_wait.ts";

/** The way of checks. */
export interface CheckOptions {
  /** SO_MARK, 0 for none. */
  readonly mark: number;
  readonly pauses: Pauses;
}

const UNSPECIFIED = parseIp("0.0.0.0")!;
const WORKS: CheckResult = { kind: "works" };

/** Checks its addresses one after another, within the timeout. */
export async function checkUpstream(
  { addresses, protocol }: Pick<UpstreamSettings, "addresses" | "protocol">,
  check: CheckConfig,
  options: CheckOptions,
): Promise<CheckResult> {
  if (addresses.length === 0) return { kind: "failed", reason: "its name is not resolved" };
  const end = options.pauses.now() + check.timeoutMs;
  let result = WORKS;
  for (const [index, address] of addresses.entries()) {
    const left = end - options.pauses.now();
    const until = options.pauses.now() + left / (addresses.length - index);
    result = await checkAddress(address, protocol, check, until, options);
    if (result.kind !== "failed") return result;
  }
  return result;
}

async function checkAddress(
  address: Sockaddr,
  protocol: UpstreamProtocol,
  { target }: CheckConfig,
  until: number,
  { mark, pauses }: CheckOptions,
): Promise<CheckResult> {
  if (portOf(address) === 0) return WORKS; // the port is that of the flow
  const where = formatEndpoint(readSockaddr(address));
  const fd = protocol.type === "direct"
    ? new WayConnector(protocol).connect(address, null, null, mark)
    : connectFrom(address, null, false, mark);
  if (fd < 0) return { kind: "failed", reason: `${where}: ${errnoCode(-fd)}` };
  try {
    const waited = await waitForSocket(fd, POLLOUT, until, pauses);
    const error = waited < 0 ? -waited : takeSocketError(fd);
    if (error !== 0) return { kind: "failed", reason: `${where}: ${errnoCode(error)}` };
    const talk = beginTalk(protocol, target);
    if (talk === null) return WORKS;
    const returned = await speak(fd, talk, target !== "none", until, pauses);
    if (returned >= 0) return WORKS;
    const words = talk.refusal === "" ? errnoCode(-returned) : talk.refusal;
    return {
      kind: talk.blame === CONFIGURATION ? "refused" : "failed",
      reason: `${where}: ${words}`,
    };
  } finally {
    resetOnClose(fd); // no TIME_WAIT for what is over
    closeFd(fd);
  }
}

/** The talk; null: none is needed. */
function beginTalk(protocol: UpstreamProtocol, target: CheckConfig["target"]): Greeting | null {
  if (protocol.type === "direct") return null;
  if (protocol.type === "forward") {
    if (protocol.header === null) return null;
    const header = new ProxyHeader(protocol.header);
    header.tell(null);
    return header;
  }
  // CONNECT is all that HTTP has to say.
  if (protocol.type === "http-connect" && target === "none") return null;
  const greeting = makeGreeting({ ...protocol, sends: "name" });
  greeting?.begin(targetOf(target));
  return greeting;
}

function targetOf(target: CheckConfig["target"]): Target {
  const destination = makeSockaddr();
  const isName = target !== "none" && "host" in target;
  writeSockaddr(destination, target === "none" || isName ? { address: UNSPECIFIED, port: 0 } : target);
  if (isName) setPort(destination, target.port);
  return { client: makeSockaddr(), destination, name: isName ? target.host : null };
}

/** Talks until the tunnel stands, or, without a target, until it would be asked for. 0 or -errno. */
async function speak(
  fd: number,
  talk: Greeting,
  toTheEnd: boolean,
  until: number,
  pauses: Pauses,
): Promise<number> {
  const scratch = new Uint8Array(MOST_ANSWER);
  while (!talk.done && (toTheEnd || talk.awaited !== TARGET)) {
    const { output } = talk;
    const isHearing = output.length === 0;
    const waited = await waitForSocket(fd, isHearing ? POLLIN : POLLOUT, until, pauses);
    if (waited < 0) return waited;
    const returned = isHearing ? hear(fd, talk, scratch) : send(fd, output, output.length);
    if (returned < 0 && returned !== -EAGAIN) return returned;
    if (!isHearing && returned > 0) talk.sent(returned);
    if (isHearing && returned === -EAGAIN) await pauses.pause(10); // half an answer: poll(2) tells it again
  }
  return 0;
}
