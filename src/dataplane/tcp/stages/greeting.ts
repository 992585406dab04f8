/**
 * The stage of a session whose upstream has answered, and is told where the session wants to go. Its bytes
 * are looked at where they lie, and no more is taken than belongs to the talk: the rest is the server's, and
 * waits until bytes may pass.
 * @module
 */
import { EAGAIN, ECONNRESET, MSG_DONTWAIT, MSG_PEEK } from "../../../../ffi/consts.ts";
import { receive, receiveWithFlags, send } from "../../../../ffi/sockets/socket.ts";
import { type Greeting, MOST_ANSWER, NOBODY, UPSTREAM } from "../../upstream/greetings/greeting.ts";
import type { Session } from "../session.ts";
import type { Dialling } from "./dialling.ts";
import type { Stage } from "./stage.ts";

// Answers of a step: an event is needed for the next, or not.
const WAITS = 0;
const GOES_ON = 1;

/** The stage. It has the timer of the dial, and shares its way with clients. */
export class GreetingStage implements Stage {
  readonly #dialling: Dialling;
  readonly #scratch = new Uint8Array(MOST_ANSWER);

  constructor(dialling: Dialling) {
    this.#dialling = dialling;
  }

  /** See {@linkcode Stage}. */
  enter(session: Session): number {
    this.#talk(session, session.greeting!);
    return 0;
  }

  /** See {@linkcode Stage}. */
  ready(session: Session, upstreamSide: boolean, bits: number): void {
    if (!upstreamSide) return this.#dialling.heedClient(session, bits);
    // A reset is met behind what was said before it, now or when bytes pass.
    this.#talk(session, session.greeting!);
  }

  /** See {@linkcode Stage}. */
  due(session: Session): void {
    this.#dialling.due(session);
  }

  #talk(session: Session, greeting: Greeting): void {
    let returned = GOES_ON;
    while (returned === GOES_ON && !greeting.done) {
      const { output } = greeting;
      returned = output.length > 0 ? say(session, greeting, output) : hear(session, greeting, this.#scratch);
    }
    if (returned < 0) this.#dialling.failed(session, -returned, blameFor(greeting));
    else if (greeting.done) this.#dialling.answered(session);
  }
}

/** The proxy's words say whose fault it is; where it has none, it is its own. */
function blameFor({ blame }: Greeting): number {
  return blame === NOBODY ? UPSTREAM : blame;
}

function say(session: Session, greeting: Greeting, output: Uint8Array<ArrayBuffer>): number {
  if (!session.up.writable) return WAITS;
  const sent = send(session.upstreamFd, output, output.length);
  if (sent < 0 && sent !== -EAGAIN) return sent;
  if (sent > 0) greeting.sent(sent);
  else session.up.writable = false;
  return GOES_ON;
}

function hear(session: Session, greeting: Greeting, scratch: Uint8Array<ArrayBuffer>): number {
  const { down, upstreamFd } = session;
  if (!down.readable) return WAITS;
  const length = receiveWithFlags(upstreamFd, scratch, MSG_PEEK | MSG_DONTWAIT);
  if (length === 0) return -ECONNRESET; // its end comes too early
  if (length < 0) {
    if (length !== -EAGAIN) return length;
    down.readable = false;
    return WAITS;
  }
  const taken = greeting.input(scratch, length);
  if (taken < 0) return taken;
  if (taken > 0) return receive(upstreamFd, scratch, taken) < 0 ? -ECONNRESET : GOES_ON;
  if (down.hungUp) return -ECONNRESET; // there will be no more
  down.readable = false;
  return WAITS;
}
