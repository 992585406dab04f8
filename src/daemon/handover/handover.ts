/**
 * A running proxy's half of a handover: it gives a successor its sockets and sessions, then its connections,
 * or lets these end where the successor knows nothing of that; or it goes on, if the successor comes to
 * nothing.
 * @module
 */
import { acceptSequence, limitWaits, listenSequence, peerOf } from "../../../ffi/sockets/sequence.ts";
import { PollSet } from "../../../ffi/poll.ts";
import { closeFd, shutdownSocket } from "../../../ffi/sockets/socket.ts";
import { SHUT_RDWR } from "../../../ffi/consts.ts";
import { countSessions } from "../../dataplane/handover/estate.ts";
import { packSockets } from "../../dataplane/handover/sockets.ts";
import type { Dataplane } from "../../dataplane/supervisor.ts";
import type { Config } from "../../config/types.ts";
import type { Logger } from "../../log.ts";
import { check, OperationError } from "../../net/error.ts";
import type { LiveRules } from "../live_rules.ts";
import { HandoverChannel } from "./channel.ts";
import { giveConnections } from "./connections.ts";
import { CONNECTIONS_FOLLOW, packEstate, refusalOf, takesConnections, type Wish } from "./protocol.ts";

/** Milliseconds in which the successor connects; in which its workers start; in which a step is done. */
const CONNECT_MS = 5000;
const PREPARE_MS = 60_000;
const STEP_MS = 5000;
const POLLIN = 1;
/** Standard output and error, which a successor may go on with. */
const OUTPUTS = [1, 2];

/** Parts of the proxy. */
export interface HandoverParts {
  readonly dataplane: Dataplane;
  readonly live: LiveRules;
  readonly log: Logger;
  /** The config in force. */
  readonly config: () => Config;
  /** Returns why it gives nothing now: it ends, say; undefined: it may. */
  readonly busy: () => string | undefined;
  /** The successor, of this pid, has all but the live connections, which follow, or end here. */
  readonly handedOver: (pid: number, follow: boolean) => void;
}

/** See the module. */
export class Handover {
  readonly #parts: HandoverParts;
  /** Of a handover that is under way, or is done. */
  #channel: HandoverChannel | undefined;
  #underWay = false;

  constructor(parts: HandoverParts) {
    this.#parts = parts;
  }

  /** Returns why a wish is refused; undefined: it is not. */
  refusalOf(wish: Wish): string | undefined {
    if (this.#underWay) return "another handover is under way";
    return this.#parts.busy() ?? refusalOf(wish, this.#parts.config());
  }

  /** Waits at a path for a successor, and gives it all. Throws an OperationError where it cannot listen. */
  begin(path: string, wish: Wish): void {
    try {
      Deno.removeSync(path);
    } catch {
      // Nothing is left of an earlier one.
    }
    const mask = Deno.umask(0o177);
    const listener = listenSequence(path);
    Deno.umask(mask);
    check(listener, "listen on", path);
    this.#underWay = true;
    this.#give(listener, path, wish).finally(() => void (this.#underWay = false));
  }

  /** Ends what is under way; a successor that runs sees that this process has ended. */
  end(): void {
    this.#channel?.close();
  }

  async #give(listener: number, path: string, wish: Wish): Promise<void> {
    const { log } = this.#parts;
    const progress: Progress = { isQuiet: false, isGiven: false };
    try {
      const { channel, pid } = await this.#connect(listener, path);
      const given = await this.#giveAll(channel, progress);
      await this.#release(channel, { ...given, pid, takes: takesConnections(wish) });
    } catch (error) {
      this.#channel?.close();
      this.#channel = undefined;
      this.#takeBack(progress);
      const reason = error instanceof OperationError ? error.message : String(error);
      log.warn("nothing was handed over: this proxy goes on", { reason });
    }
  }

  async #connect(listener: number, path: string): Promise<{ channel: HandoverChannel; pid: number }> {
    const set = new PollSet(1);
    set.set(0, listener, POLLIN);
    const timer = setTimeout(() => shutdownSocket(listener, SHUT_RDWR), CONNECT_MS);
    await set.waitElsewhere();
    clearTimeout(timer);
    limitWaits(listener, 1);
    const fd = acceptSequence(listener);
    closeFd(listener);
    Deno.removeSync(path);
    check(fd, "wait for", "the successor");
    const peer = peerOf(fd);
    if (typeof peer === "number" || (peer.uid !== 0 && peer.uid !== Deno.uid())) {
      closeFd(fd);
      throw new OperationError({
        operation: "hand over",
        object: "the proxy",
        reason: "another user has come",
      });
    }
    return { channel: this.#channel = new HandoverChannel(fd), pid: peer.pid };
  }

  async #giveAll(channel: HandoverChannel, progress: Progress): Promise<Given> {
    const { dataplane, live } = this.#parts;
    const { text, fds } = packSockets(dataplane.sockets);
    channel.send("sockets", { text, fds: [...fds, ...OUTPUTS] });
    await channel.receive("prepared", PREPARE_MS);
    progress.isQuiet = true;
    await within(STEP_MS, dataplane.quiet());
    const began = performance.now();
    progress.isGiven = true;
    const estates = await within(STEP_MS, dataplane.give());
    const table = live.give();
    const rules = {
      ruleNames: dataplane.ruleNames(),
      contents: table?.contents ?? null,
      workers: estates.length,
    };
    channel.send("rules", { text: JSON.stringify(rules), fds: table === null ? [] : [table.fd] });
    for (const estate of estates) channel.send("estate", packEstate(estate));
    await channel.receive("inherited", STEP_MS);
    channel.send("yours");
    await channel.receive("running");
    const udpSessions = countSessions(estates);
    return { pauseMs: Math.round(performance.now() - began), udpSessions };
  }

  /** The successor runs: nothing is taken back any more. */
  async #release(
    channel: HandoverChannel,
    { pid, takes, pauseMs, udpSessions }: Given & { readonly pid: number; readonly takes: boolean },
  ): Promise<void> {
    const { dataplane, log, handedOver } = this.#parts;
    handedOver(pid, takes);
    log.info(`handed over: connections ${takes ? "follow" : "end here"}, all else goes on there`, {
      pid,
      "udp-sessions": udpSessions,
      live: dataplane.live(),
      "paused-ms": pauseMs,
    });
    try {
      channel.send("released", takes ? { text: CONNECTIONS_FOLLOW } : {});
      if (!takes) return;
      const connections = await giveConnections(channel, dataplane);
      log.info("connections are handed over", { connections });
    } catch (error) {
      // Thrown on, whatever it is would have what the successor has taken back.
      if (!(error instanceof OperationError)) {
        return log.error("connections end here", { reason: String(error) });
      }
      if (channel.isClosed) return; // none is left, or this process was told to end
      log.warn("connections end here: the one that takes over takes no more", { reason: error.message });
    }
  }

  #takeBack({ isQuiet, isGiven }: Progress): void {
    const { dataplane, live, log } = this.#parts;
    if (isQuiet) dataplane.endGiving("take-back");
    try {
      if (isGiven) live.takeBack();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      log.warn("rules stay as they were", { reason: error.message });
    }
  }
}

/** Facts of what was given. */
interface Given {
  readonly pauseMs: number;
  readonly udpSessions: number;
}

/** Steps that are to be taken back. */
interface Progress {
  isQuiet: boolean;
  isGiven: boolean;
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const reason = "a worker does not do its part";
    timer = setTimeout(
      () => reject(new OperationError({ operation: "hand over", object: "the proxy", reason })),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
