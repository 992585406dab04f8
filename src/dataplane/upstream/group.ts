/**
 * Several upstreams of which one is chosen for each connection; a single one is a group of its own. Another
 * one is tried only before bytes may pass, and within the one connect timeout.
 * @module
 */
import { ECONNREFUSED, EMFILE, ENFILE, ETIMEDOUT } from "../../../ffi/consts.ts";
import type { Strategy } from "../../config/upstreams/types.ts";
import type { WorkerContext } from "../context.ts";
import { MemberChoice, MOST_MEMBERS, NO_MEMBER } from "./choice.ts";
import type { Greeting } from "./greetings/greeting.ts";
import type { UpstreamSettings } from "./settings.ts";
import type { Call, Upstream } from "./upstream.ts";

/** An upstream of the config, as a member of a group. A call's `choice` is its own. */
export interface MemberUpstream extends Upstream {
  readonly settings: UpstreamSettings;
  /** Tells whether it is known to do its work, or nothing is known. */
  readonly isUp: boolean;
  /** The number of addresses from the one that is dialled on. */
  addressesLeft(call: Call): number;
  carrier(): number;
}

/** The group. A call's `member` is the place of the upstream that is dialled, `tried` those that were. */
export class GroupUpstream implements Upstream {
  readonly name: string;
  readonly wantsName: boolean;
  readonly needsAnswer: boolean;
  readonly #context: WorkerContext;
  readonly #members: readonly MemberUpstream[];
  readonly #choice: MemberChoice;

  constructor(context: WorkerContext, members: readonly MemberUpstream[], strategy: Strategy) {
    this.name = members.map(({ name }) => name).join(",");
    this.#context = context;
    this.wantsName = members.some(({ wantsName }) => wantsName);
    this.needsAnswer = members.some(({ settings }) => settings.protocol.type === "direct");
    this.#members = members;
    this.#choice = new MemberChoice(context.health, members.map(({ settings }) => settings), strategy);
  }

  /** Tells whether no member can take a flow; if so, and now and then, the log tells what becomes of it. */
  isDown(fate: string): boolean {
    if (this.#choice.left(0) > 0) return false;
    const { health, clock, log } = this.#context;
    if (health.mayTell(this.#members[0].settings.place, clock.time)) {
      log.warn(`no upstream is up: ${fate}`, { upstream: this.name });
    }
    return true;
  }

  /** See {@linkcode Upstream}. */
  isDirect(call: Call): boolean {
    return call.member !== NO_MEMBER && this.#members[call.member].isDirect(call);
  }

  /** See {@linkcode Upstream}. */
  carrier({ member }: Call): number {
    return member === NO_MEMBER ? 0 : this.#members[member].carrier();
  }

  /** See {@linkcode Upstream}. */
  dial(call: Call): number {
    if (call.attempt === 0) {
      call.tried = 0;
      call.member = NO_MEMBER;
    } else if (call.spentTicks >= this.#context.settings.connectTicks) return -ETIMEDOUT;
    // One that has refused us, or is down by now, has no better address.
    if (call.member !== NO_MEMBER && !this.#members[call.member].isUp) call.member = NO_MEMBER;
    for (;;) {
      if (call.member === NO_MEMBER && !this.#next(call)) return -ECONNREFUSED;
      const returned = this.#members[call.member].dial(call);
      if (returned >= 0 || returned === -EMFILE || returned === -ENFILE) return returned;
      call.member = NO_MEMBER;
    }
  }

  /** See {@linkcode Upstream}. All that may still be tried share the one connect timeout. */
  patience(call: Call): number {
    const others = Math.min(this.#choice.left(call.tried), MOST_MEMBERS - countBits(call.tried));
    const left = this.#context.settings.connectTicks - call.spentTicks;
    return Math.max(1, Math.floor(left / (this.#members[call.member].addressesLeft(call) + others)));
  }

  /** See {@linkcode Upstream}. */
  greeting(call: Call): Greeting | null {
    return this.#members[call.member].greeting(call);
  }

  /** See {@linkcode Upstream}. */
  settled(call: Call, errno: number, blame: number): void {
    this.#members[call.member].settled(call, errno, blame);
  }

  /** See {@linkcode Upstream}. */
  ended(call: Call): void {
    this.#members[call.member].ended(call);
  }

  #next(call: Call): boolean {
    if (countBits(call.tried) >= MOST_MEMBERS) return false;
    call.member = this.#choice.choose(call.client, call.tried);
    if (call.member === NO_MEMBER) return false;
    call.tried |= 1 << call.member;
    call.choice = NO_MEMBER;
    return true;
  }
}

function countBits(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
