/**
 * An upstream proxy: dialled as the router itself dials, or with the client's address, and told where the
 * flow wants to go.
 * @module
 */
import { ECONNREFUSED, EMFILE, ENFILE } from "../../../ffi/consts.ts";
import { makeSockaddr, portOf, setPort } from "../../../ffi/sockets/sockaddr.ts";
import type { WorkerContext } from "../context.ts";
import type { RouterTraffic } from "../sockets/own_addresses.ts";
import { Connector } from "./direct.ts";
import { CONFIGURATION, type Greeting, NOBODY, TARGET, UPSTREAM } from "./greetings/greeting.ts";
import type { MemberUpstream } from "./group.ts";
import { makeGreeting } from "./make_greeting.ts";
import type { UpstreamSettings } from "./settings.ts";
import { UP, type UpstreamHealth } from "./health.ts";
import { UpstreamTrouble } from "./trouble.ts";
import type { Call, Sockaddr } from "./upstream.ts";

/** The upstream. A call's `choice` is the number of the address that is dialled, -1: none was yet. */
export class ProxiedUpstream implements MemberUpstream {
  readonly name: string;
  readonly wantsName: boolean;
  readonly #context: WorkerContext;
  readonly settings: UpstreamSettings;
  readonly #health: UpstreamHealth;
  readonly #connector: Connector;
  readonly #trouble: UpstreamTrouble;
  readonly #number: number;
  /** Talks that are over, for the next. */
  readonly #spare: Greeting[] = [];
  readonly #address: Sockaddr = makeSockaddr();

  /** `router`: null where no client is a program on the router itself. `number`: see {@linkcode carrier}. */
  constructor(
    context: WorkerContext,
    settings: UpstreamSettings,
    router: RouterTraffic | null,
    number: number,
  ) {
    const { protocol } = settings;
    this.name = settings.name;
    this.wantsName = "sends" in protocol && protocol.sends === "name";
    this.#number = number;
    this.#context = context;
    this.settings = settings;
    this.#health = context.health;
    this.#connector = new Connector(context, router);
    this.#trouble = new UpstreamTrouble(context, settings.name);
  }

  /** Tells whether it is known to do its work, or nothing is known. */
  get isUp(): boolean {
    return this.#health.state(this.settings.place) === UP;
  }

  /** See {@linkcode Upstream}. */
  isDirect(): boolean {
    return false;
  }

  /** See {@linkcode Upstream}. */
  carrier(): number {
    return this.#number;
  }

  /** See {@linkcode Upstream}. It begins behind the address that is the call's choice. */
  dial(call: Call): number {
    const { addresses, place, protocol } = this.settings;
    const source = protocol.type === "forward" ? protocol.source : "router";
    this.#health.used(place, this.#context.clock.time);
    for (let i = call.choice + 1; i < addresses.length; i++) {
      call.choice = i;
      const address = this.#addressFor(call);
      // No address of the other family is the client's. That is nobody's fault.
      if (source !== "router" && address[0] !== call.client[0]) continue;
      const returned = this.#connector.connect(call.client, address, source);
      if (returned === -EMFILE || returned === -ENFILE) return returned;
      if (returned >= 0) {
        this.#health.addConnections(place, 1);
        return returned;
      }
      this.#failed(call, -returned, UPSTREAM, "");
    }
    return -ECONNREFUSED;
  }

  /** The number of addresses from the one that is dialled on. */
  addressesLeft({ choice }: Call): number {
    return this.settings.addresses.length - choice;
  }

  /** See {@linkcode Upstream}. All addresses together have one connect timeout. */
  patience(call: Call): number {
    const left = this.#context.settings.connectTicks - call.spentTicks;
    return Math.max(1, Math.floor(left / this.addressesLeft(call)));
  }

  /** See {@linkcode Upstream}. */
  greeting(call: Call): Greeting | null {
    const greeting = this.#spare.pop() ?? makeGreeting(this.settings.protocol);
    greeting?.begin(call);
    return greeting;
  }

  /** See {@linkcode Upstream}. */
  settled(call: Call, errno: number, blame: number): void {
    const { greeting } = call;
    if (blame !== NOBODY && blame !== TARGET) this.#failed(call, errno, blame, greeting?.refusal ?? "");
    else if (errno === 0 || blame === TARGET) this.#health.worked(this.settings.place);
    if (errno !== 0) this.ended();
    if (greeting !== null) this.#spare.push(greeting);
  }

  /** See {@linkcode Upstream}. */
  ended(): void {
    this.#health.addConnections(this.settings.place, -1);
  }

  #failed(call: Call, errno: number, blame: number, words: string): void {
    const { place, fall } = this.settings;
    // Another worker may have told it.
    if (blame === CONFIGURATION && !this.#health.refused(place)) return;
    this.#trouble.note(errno, blame, words);
    // Once for a flow, however many addresses it has tried.
    if (blame === UPSTREAM && this.addressesLeft(call) === 1) this.#health.failed(place, errno, fall);
  }

  #addressFor(call: Call): Sockaddr {
    const address = this.settings.addresses[call.choice];
    if (portOf(address) !== 0) return address;
    this.#address.set(address);
    setPort(this.#address, portOf(call.destination));
    return this.#address;
  }
}
