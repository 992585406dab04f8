/**
 * An upstream proxy: dialled as the router itself dials, and told where the flow wants to go.
 * @module
 */
import { ECONNREFUSED, EMFILE, ENFILE } from "../../../ffi/consts.ts";
import { makeSockaddr, portOf, setPort } from "../../../ffi/sockets/sockaddr.ts";
import type { WorkerContext } from "../context.ts";
import { connectFrom } from "./direct.ts";
import { type Greeting, NOBODY, TARGET, UPSTREAM } from "./greetings/greeting.ts";
import { HttpConnect } from "./greetings/http_connect.ts";
import { ProxyHeader } from "./greetings/proxy_header.ts";
import { CONNECT, Socks5Greeting } from "./greetings/socks5.ts";
import type { UpstreamProtocol, UpstreamSettings } from "./settings.ts";
import { UpstreamTrouble } from "./trouble.ts";
import type { Call, Sockaddr, Upstream } from "./upstream.ts";

/** The upstream. A call's `choice` is the number of the address that is dialled. */
export class ProxiedUpstream implements Upstream {
  readonly name: string;
  readonly isDirect = false;
  readonly wantsName: boolean;
  readonly #context: WorkerContext;
  readonly #settings: UpstreamSettings;
  readonly #mark: number;
  readonly #trouble: UpstreamTrouble;
  readonly #number: number;
  /** Talks that are over, for the next. */
  readonly #spare: Greeting[] = [];
  readonly #address: Sockaddr = makeSockaddr();

  /** `mark`: SO_MARK of sockets towards servers, 0 for none. `number`: see {@linkcode carrier}. */
  constructor(context: WorkerContext, settings: UpstreamSettings, mark: number, number: number) {
    const { protocol } = settings;
    this.name = settings.name;
    this.wantsName = protocol.type !== "forward" && protocol.sends === "name";
    this.#number = number;
    this.#context = context;
    this.#settings = settings;
    this.#mark = mark;
    this.#trouble = new UpstreamTrouble(context, settings.name);
  }

  /** See {@linkcode Upstream}. */
  carrier(): number {
    return this.#number;
  }

  /** See {@linkcode Upstream}. */
  dial(call: Call): number {
    const { addresses } = this.#settings;
    for (let i = call.attempt === 0 ? 0 : call.choice + 1; i < addresses.length; i++) {
      call.choice = i;
      const returned = connectFrom(this.#addressFor(call), null, false, this.#mark);
      if (returned >= 0 || returned === -EMFILE || returned === -ENFILE) return returned;
      this.#trouble.note(-returned, UPSTREAM, "");
    }
    return -ECONNREFUSED;
  }

  /** See {@linkcode Upstream}. All addresses together have one connect timeout. */
  patience(call: Call): number {
    const left = this.#context.settings.connectTicks - call.spentTicks;
    return Math.max(1, Math.floor(left / (this.#settings.addresses.length - call.choice)));
  }

  /** See {@linkcode Upstream}. */
  greeting(call: Call): Greeting | null {
    const greeting = this.#spare.pop() ?? makeGreeting(this.#settings.protocol);
    greeting?.begin(call);
    return greeting;
  }

  /** See {@linkcode Upstream}. */
  settled({ greeting }: Call, errno: number, blame: number): void {
    if (blame !== NOBODY && blame !== TARGET) {
      this.#trouble.note(errno, blame, greeting?.refusal ?? "");
    }
    if (greeting !== null) this.#spare.push(greeting);
  }

  #addressFor(call: Call): Sockaddr {
    const address = this.#settings.addresses[call.choice];
    if (portOf(address) !== 0) return address;
    this.#address.set(address);
    setPort(this.#address, portOf(call.destination));
    return this.#address;
  }
}

function makeGreeting(protocol: UpstreamProtocol): Greeting | null {
  switch (protocol.type) {
    case "socks5":
      return new Socks5Greeting({ ...protocol, command: CONNECT });
    case "http-connect":
      return new HttpConnect(protocol);
    case "forward":
      return protocol.header === null ? null : new ProxyHeader(protocol.header);
    default:
      return protocol satisfies never;
  }
}
