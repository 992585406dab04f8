/**
 * The loop of `tproxy redirect`: one thread, with the services of a worker and an upstream of its own.
 * @module
 */
import { descriptorLimit } from "../../../ffi/process.ts";
import { DEFAULT_CONFIG } from "../../config/defaults.ts";
import type { WorkerContext } from "../../dataplane/context.ts";
import { type Settings, type SettingsConfig, settingsOf } from "../../dataplane/settings.ts";
import { COUNTER } from "../../dataplane/shared/state.ts";
import { demandOf } from "../../dataplane/sizing/demand.ts";
import { capacity } from "../../dataplane/sizing/limits.ts";
import { makeSolo } from "../../dataplane/solo.ts";
import { TcpAcceptor } from "../../dataplane/tcp/accept.ts";
import { TcpSessions } from "../../dataplane/tcp/sessions.ts";
import { UpstreamTable } from "../../dataplane/upstream/table.ts";
import { ListedUpstream, type RedirectReport, type RedirectTarget } from "../../dataplane/upstream/listed.ts";
import type { Logger } from "../../log.ts";
import { check } from "../../net/error.ts";

/** Bytes of a splice pipe: the kernel's default. */
const PIPE_SIZE = 65536;

/** Parts of a redirector. */
export interface RedirectParts {
  /** Descriptors; they are closed at the end. */
  readonly listeners: readonly number[];
  readonly target: RedirectTarget;
  readonly report: RedirectReport;
  /** Serve one connection, then end. */
  readonly once: boolean;
  readonly log: Logger;
  /** Default: those of an empty config. */
  readonly timeouts?: SettingsConfig["timeouts"];
}

/**
 * Serves until one connection has ended, or for ever. It blocks. Tells that a client has reached an upstream.
 * Throws OperationError if epoll fails.
 */
export function serveRedirect(parts: RedirectParts): boolean {
  const limit = descriptorLimit();
  const room = capacity({
    descriptors: typeof limit === "number" ? 1024 : limit.soft,
    workers: 1,
    ...demandOf({ intercept: { protocols: ["tcp"] }, limits: DEFAULT_CONFIG.limits }),
  });
  const { context } = makeSolo({ log: parts.log, settings: redirectSettings(parts, room) });
  const sessions = new TcpSessions(context, {
    pipes: { limit: room.pipesPerWorker, size: PIPE_SIZE },
    upstreams: new UpstreamTable(context, new ListedUpstream(context, parts.target, parts.report)),
  });
  const acceptor = new TcpAcceptor(context, {
    listeners: parts.listeners.map((fd) => ({ fd, address: null })),
    sessions,
    acceptsPerTurn: parts.once ? 1 : undefined,
  });
  context.loop.add(acceptor);
  context.loop.add(sessions);
  try {
    check(context.loop.start(), "listen");
    return parts.once ? serveOne(context, acceptor) : serveAll(context);
  } finally {
    context.loop.close();
  }
}

function redirectSettings(
  { target, timeouts = DEFAULT_CONFIG.timeouts }: RedirectParts,
  room: { connections: number; udpSessions: number },
): Settings {
  return settingsOf({
    ...DEFAULT_CONFIG,
    source: target.fromClient ? "client" : "router",
    timeouts,
  }, room);
}

function turn(context: WorkerContext): void {
  check(context.loop.turn(), "wait for", "connections");
}

function serveOne(context: WorkerContext, acceptor: TcpAcceptor): boolean {
  const { counters } = context;
  while (counters[COUNTER.accepted] === 0) turn(context);
  acceptor.close(); // others are reset
  while (context.shared.live > 0) turn(context);
  return counters[COUNTER.connected] > 0;
}

function serveAll(context: WorkerContext): never {
  for (;;) turn(context);
}
