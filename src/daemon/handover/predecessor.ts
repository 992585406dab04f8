/**
 * The proxy that this process takes over from: its sockets, its sessions, its rules.
 * @module
 */
import { connectSequence } from "../../../ffi/sockets/sequence.ts";
import type { Config } from "../../config/types.ts";
import { countSessions } from "../../dataplane/handover/estate.ts";
import { translateRules } from "../../dataplane/handover/rules.ts";
import { type LastingSockets, unpackSockets } from "../../dataplane/handover/sockets.ts";
import type { RuleNames } from "../../dataplane/shared/books.ts";
import type { Dataplane } from "../../dataplane/supervisor.ts";
import type { GivenTable } from "../../kernel/live/live_table.ts";
import { check, OperationError } from "../../net/error.ts";
import { askControl } from "../control/client.ts";
import { HandoverChannel } from "./channel.ts";
import { takeConnections } from "./connections.ts";
import {
  CONNECTIONS_FOLLOW,
  HANDOVER_TARGET,
  type HandoverAnswer,
  unpackEstate,
  wishOf,
} from "./protocol.ts";

/** Milliseconds for a step of the other side. */
const STEP_MS = 10_000;

/** Things that were taken over. */
export interface TakenOver {
  /** null: there are no rules of the process. */
  readonly table: GivenTable | null;
  readonly udpSessions: number;
}

/** The fate of its connections. */
export interface PredecessorFate {
  /** Set while they come as they can; then others end where they are. */
  readonly follows: boolean;
  /** Number of those that have come, once no more do. */
  readonly taken: number;
  /** Set when it has ended itself. */
  readonly ended: boolean;
}

/** The rules, as the other side tells them. */
interface ToldRules {
  readonly ruleNames: readonly RuleNames[];
  readonly contents: string | null;
  readonly workers: number;
}

/** See the module. */
export class Predecessor {
  /** By number of the worker. */
  readonly sockets: readonly LastingSockets[];
  /** Its standard output and error. */
  readonly outputs: readonly number[];
  readonly #channel: HandoverChannel;
  #isGone = false;
  #taken = 0;
  /** Its rules; null: its connections do not follow. */
  #rules: readonly RuleNames[] | null = null;

  /** Use {@linkcode askPredecessor}. */
  constructor(channel: HandoverChannel, sockets: readonly LastingSockets[], outputs: readonly number[]) {
    this.#channel = channel;
    this.sockets = sockets;
    this.outputs = outputs;
  }

  /** Its last connections have ended, and so has it. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** The fate of its connections so far. */
  get fate(): PredecessorFate {
    return { follows: this.#rules !== null, taken: this.#taken, ended: this.#isGone };
  }

  /**
   * Takes over what its workers have, and has those of this process begin. Throws an OperationError: then the
   * other proxy goes on, and this one must not.
   */
  async take(dataplane: Dataplane): Promise<TakenOver> {
    const channel = this.#channel;
    channel.send("prepared");
    const { text, fds } = await channel.receive("rules", STEP_MS);
    const { ruleNames, contents, workers } = JSON.parse(text) as ToldRules;
    const estates = [];
    for (let worker = 0; worker < workers; worker++) {
      estates.push(unpackEstate(await channel.receive("estate", STEP_MS)));
    }
    for (const estate of estates) translateRules(estate, ruleNames, dataplane.ruleNames().at(-1)!);
    await dataplane.inherit(estates);
    channel.send("inherited");
    await channel.receive("yours", STEP_MS);
    await dataplane.begin();
    channel.send("running");
    const released = await channel.receive("released", STEP_MS).catch(() => undefined); // killed: all is here
    if (released?.text === CONNECTIONS_FOLLOW) this.#rules = ruleNames;
    const udpSessions = countSessions(estates);
    return { table: contents === null ? null : { fd: fds[0], contents }, udpSessions };
  }

  /** Parts with it. */
  end(): void {
    this.#channel.close();
  }

  /**
   * Takes its connections over, once this process can be asked in its place. Resolves with their number when
   * it has ended.
   */
  async follow(dataplane: Dataplane): Promise<number> {
    const channel = this.#channel;
    if (this.#rules !== null) this.#taken = await takeConnections(channel, dataplane, this.#rules);
    this.#rules = null; // those that are left there end there
    await channel.gone();
    this.#isGone = true;
    return this.#taken;
  }
}

/**
 * Asks the proxy at a control socket to hand over to this process. Throws an OperationError where none
 * answers, or where it refuses: nothing has happened then.
 */
export async function askPredecessor(control: string, config: Config): Promise<Predecessor> {
  const body = JSON.stringify(wishOf(config, Deno.pid));
  const reply = await askControl(control, { method: "POST", target: HANDOVER_TARGET, body });
  if (reply === undefined) throw refusal(control, "no proxy answers");
  const answer = parse(reply.text);
  if (reply.status !== 200 || answer.path === undefined) {
    // One of a version before this knows no such path.
    throw refusal(
      control,
      reply.status === 404 ? "its version cannot: restart instead" : answer.error ?? "it refuses",
    );
  }
  const channel = new HandoverChannel(check(connectSequence(answer.path), "connect to", answer.path));
  try {
    const { text, fds } = await channel.receive("sockets", STEP_MS);
    const [sockets, outputs] = [fds.slice(0, -2), fds.slice(-2)];
    return new Predecessor(channel, unpackSockets(text, sockets), outputs);
  } catch (error) {
    channel.close();
    throw error;
  }
}

function parse(text: string): Partial<HandoverAnswer> & { readonly error?: string } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

function refusal(control: string, reason: string): OperationError {
  return new OperationError({ operation: "take over from the proxy at", object: control, reason });
}
