/**
 * Decides what becomes of TCP sessions: when one begins, and again when its client's name is known. Here
 * alone is done what the rules say.
 * @module
 */
import { PROTOCOL_NUMBERS } from "../../policy/flow.ts";
import type { FoundName } from "../../sniff/found.ts";
import type { Decider } from "../decider.ts";
import { UNDECIDED } from "../shared/totals.ts";
import { DIRECT } from "../upstream/table.ts";
import { CLIENT, DESTINATION, type Session } from "./session.ts";
import { FirstSpeakers } from "./first_speakers.ts";
import type { Life } from "./stages/stage.ts";

/** A worker's decisions. */
export class Deciding {
  /** Servers that are known to speak first: of what goes there no name is waited for. */
  readonly servers: FirstSpeakers;
  readonly #life: Life;
  readonly #decider: Decider;

  constructor(life: Life, decider: Decider) {
    this.#life = life;
    this.#decider = decider;
    this.servers = new FirstSpeakers(life.context.clock);
  }

  /**
   * Decides on a session that begins, whose ends are known; or says how its name is waited for: `undecided`,
   * `ahead`. False: it has ended.
   */
  begin(session: Session): boolean {
    const decider = this.#decider;
    session.policy = this.#life.context.policy;
    const rule = decider.decide(PROTOCOL_NUMBERS.tcp, session.addresses, CLIENT, DESTINATION, session);
    if (!decider.needsName) {
      if (!this.#follow(session, rule)) return false;
      if (session.upstream.wantsName) this.#await(session, false);
      return true;
    }
    if (!this.#await(session, decider.dialsAhead)) return this.settle(session, null);
    this.#life.route(session, UNDECIDED, DIRECT);
    return true;
  }

  /** Decides on a session whose name was read; null: it has none. False: it has ended. */
  settle(session: Session, name: FoundName | null): boolean {
    session.undecided = false;
    if (name !== null) {
      session.name = textOf(name);
      this.#life.context.ledgers.tcp.named(session.slot, name.bytes, name.length);
    }
    return this.#follow(
      session,
      this.#decider.decideNamed(PROTOCOL_NUMBERS.tcp, session.addresses, CLIENT, DESTINATION, name, session),
    );
  }

  /** Has the name read, unless its client is known to wait for the server's first word. */
  #await(session: Session, ahead: boolean): boolean {
    session.undecided = ahead || !this.servers.has(session);
    session.ahead = ahead;
    session.quiet = !session.undecided;
    return session.undecided;
  }

  #follow(session: Session, rule: number): boolean {
    const { policy } = this.#life.context;
    // Another policy's rules have other numbers.
    const told = session.policy === policy ? rule : UNDECIDED;
    this.#life.route(session, told, this.#decider.route(rule));
    const blocking = this.#decider.blocking(rule);
    if (blocking === null) return true;
    this.#life.block(session, blocking.silent);
    return false;
  }
}

function textOf({ bytes, length }: FoundName): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[i]);
  return text;
}
