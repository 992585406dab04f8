/**
 * The bits of the packet mark that are ours. All follow from `kernel.mark`, and nothing else shifts it. Pure.
 *
 * Other programs share the mark: systems give 16 to 24 bits of it to several programs, so ours stand
 * together, and every rule sets and asks for these bits alone.
 *
 * | bit above `kernel.mark` | nft                          | iptables                          |
 * | ----------------------- | ---------------------------- | --------------------------------- |
 * | 0 `intercepted`         | deliver to this machine      | deliver to this machine           |
 * | 1 `router`              | the router's own traffic     | `refused`; with bit 0 `dropped`   |
 * | 2 `clientSocket`        | our sockets towards clients  | the same; in conntrack, our flows |
 * | 1 and 2 `watch`         | new flows that are watched   | not used                          |
 * | 2 `asks`                | new flows for the proxy      | not used                          |
 * | 0 and 2 `insists`       | the same, from client to client too | not used                   |
 * | 3 `serverSocket`        | our sockets towards servers  | not used                          |
 *
 * Bit 1 has three meanings that never meet: one backend alone is installed, and iptables cannot intercept
 * the router's own traffic (it refuses such a config); without bit 0 it is nobody's but between two chains.
 * Bit 2 has two as well: with `admission: forward-path` no socket towards a client has a mark, with `early`
 * nobody asks.
 * @module
 */
import { DEFAULT_MARK } from "./constants.ts";

/** A bit, or a copy of all bits of `kernel.mark`. */
interface MarkBit {
  readonly name: "intercepted" | "router" | "clientSocket" | "serverSocket";
  /** Its distance from `kernel.mark`. */
  readonly shift: number;
  /** Set where it is used only while the router's own traffic is intercepted. */
  readonly routerTrafficOnly: boolean;
  readonly reason: string;
}

/** Every bit, lowest first. */
const MARK_BITS: readonly MarkBit[] = [
  {
    name: "intercepted",
    shift: 0,
    routerTrafficOnly: false,
    reason: "A routing rule delivers what has it to this machine",
  },
  {
    name: "router",
    shift: 1,
    routerTrafficOnly: false,
    reason: "Tells the router's own traffic from that of clients; no routing rule of the LAN asks for it",
  },
  {
    name: "clientSocket",
    shift: 2,
    routerTrafficOnly: false,
    reason: "The chain untracked knows packets to clients by it; no routing rule asks for it",
  },
  {
    name: "serverSocket",
    shift: 3,
    routerTrafficOnly: true,
    reason:
      "The router's chains pass our own sockets by. Not bit 1: programs that copy the mark of a flow back to its " +
      "packets would give it to answers, which would then pass for the router's own traffic",
  },
];

const [INTERCEPTED, ROUTER, CLIENT_SOCKET, SERVER_SOCKET] = MARK_BITS;
/**
 * A bit that nobody's rules use, beside our own: with `admission: forward-path` the bits that routing rules
 * ask for are set behind everybody's marks. A packet on which somebody writes 1, 2 or 7 is then none of ours.
 */
const APART = 0x40000000;
/** The same bit of what is told to the proxy and goes no further: its flow goes from client to client. */
export const CLIENT_TO_CLIENT_MARK = APART;
/** The mark of a packet has 32 bits. */
const WHOLE = 0xffffffff;

/** The marks that follow from one `kernel.mark`. */
export class Marks {
  /** Packets that are delivered to this machine. */
  readonly intercepted: number;
  /** Packets and flows of the router itself, both bits. */
  readonly router: number;
  /** SO_MARK of sockets towards clients; with iptables also the mark of our flows in conntrack. */
  readonly clientSocket: number;
  /** Packets of new flows that the rules give to the proxy, until it has taken them or let them go on. */
  readonly asks: number;
  /** Those of them that a rule gives to the proxy wherever they go, from client to client too. */
  readonly insists: number;
  /** Packets of new flows whose names are to be watched, until that begins or they go on without. */
  readonly watch: number;
  /** SO_MARK of sockets towards servers where the router's own traffic is intercepted. */
  readonly serverSocket: number;
  /** The same bit of what a routing rule of ours leads (`oif NAME lookup TABLE`); 0: there is none left. */
  readonly pin: number;
  /** iptables: packets that the table `filter` refuses. */
  readonly refused: number;
  /** iptables: packets that the table `mangle` drops; all bits that `raw` may leave on a packet. */
  readonly dropped: number;
  /** Every bit that may be ours. */
  readonly all: number;

  /**
   * Derives the marks from `kernel.mark`; `apart`: a bit more for what routing rules ask for, unless the
   * administrator has chosen the bits.
   */
  constructor(mark: number, { apart = false }: { apart?: boolean } = {}) {
    const more = apart && mark === DEFAULT_MARK ? APART : 0;
    this.intercepted = withBits(shifted(mark, INTERCEPTED), more);
    this.refused = shifted(mark, ROUTER);
    this.router = withBits(this.intercepted, this.refused);
    this.clientSocket = shifted(mark, CLIENT_SOCKET);
    this.asks = this.clientSocket;
    // Only between two chains with nothing between them: no routing rule sees it.
    this.insists = withBits(this.asks, more === 0 ? this.intercepted : more);
    this.watch = withBits(this.asks, this.refused);
    this.serverSocket = shifted(mark, SERVER_SOCKET);
    this.pin = this.serverSocket > WHOLE ? 0 : this.serverSocket;
    this.dropped = this.router;
    this.all = [this.router, this.clientSocket, this.serverSocket].reduce(withBits);
  }

  /** Counts the bits above `kernel.mark` that are used. */
  static bitsAbove(routerTraffic: boolean): number {
    const used = MARK_BITS.filter((bit) => routerTraffic || !bit.routerTrafficOnly);
    return Math.max(...used.map(({ shift }) => shift));
  }

  /** The largest `kernel.mark` whose other bits are still bits of a mark. */
  static largest(routerTraffic: boolean): number {
    return WHOLE >>> Marks.bitsAbove(routerTraffic);
  }
}

/** Gives a mark these bits too. */
export function withBits(mark: number, bits: number): number {
  return (mark | bits) >>> 0;
}

/** Multiplies, since `<<` makes bit 31 a sign and loses what is above it. */
function shifted(mark: number, { shift }: MarkBit): number {
  return mark * 2 ** shift;
}
