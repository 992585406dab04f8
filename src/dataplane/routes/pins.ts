/**
 * Routing rules of our own by which what is dialled finds the table that the router's rules had chosen for
 * the client's packet: `ip rule add fwmark M/M oif NAME lookup TABLE`. The main thread keeps and removes
 * them. Without allocation, but for the name.
 * @module
 */
import { NETLINK_ROUTE } from "../../../ffi/consts.ts";
import { ROUTE_PROTOCOL } from "../../constants.ts";
import { EEXIST } from "../../net/errno.ts";
import { NetlinkSocket } from "./netlink_socket.ts";
import { NetlinkWriter, NLM_F_ACK, NLM_F_CREATE_NEW } from "./netlink_writer.ts";
import type { RouteBoard } from "./route_board.ts";

// linux/rtnetlink.h, linux/if_link.h, linux/fib_rules.h
const RTM_GETLINK = 18;
const IFINFOMSG = 16;
const IFINFO_INDEX = 4;
const IFLA_IFNAME = 3;
const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_SKIP_STATS = 8;
const RTM_NEWRULE = 32;
const RULE_HEADER = 12;
const RULE_ACTION = 7;
const FR_ACT_TO_TBL = 1;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_PROTOCOL = 21;
/** IFNAMSIZ */
const NAME_SIZE = 16;
/** Rules that this worker knows of; a router has a few ways out. */
const MOST = 64;
const WORDS = 3;

/** The rules that a worker knows to be there. */
export class Pins {
  readonly #socket = new NetlinkSocket({ protocol: NETLINK_ROUTE, privileged: true });
  readonly #board: RouteBoard;
  readonly #writer = new NetlinkWriter(128);
  readonly #name = new Uint8Array(NAME_SIZE);
  readonly #known = new Int32Array(MOST * WORDS);
  #count = 0;

  constructor(board: RouteBoard) {
    this.#board = board;
  }

  /** Opens what it asks through. 0 or -errno. */
  start(): number {
    return this.#socket.open();
  }

  /** Somebody may have changed the rules. */
  forget(): void {
    this.#count = 0;
  }

  /** Sees to it that a rule is there. 0 or -errno. */
  ensure(family: number, oif: number, table: number): number {
    const known = this.#known;
    for (let at = 0; at < this.#count * WORDS; at += WORDS) {
      if (known[at] === family && known[at + 1] === oif && known[at + 2] === table) return 0;
    }
    const length = this.#readName(oif);
    if (length < 0) return length;
    const returned = this.#add(family, length, table);
    if (returned < 0 && returned !== -EEXIST) return returned;
    const at = (this.#count % MOST) * WORDS;
    known[at] = family;
    known[at + 1] = oif;
    known[at + 2] = table;
    this.#count = Math.min(this.#count + 1, MOST);
    return 0;
  }

  /** Closes what it asks through. */
  close(): void {
    this.#socket.close();
  }

  #add(family: number, nameLength: number, table: number): number {
    const writer = this.#writer;
    const { mark, priority } = this.#board;
    writer.begin(RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE_NEW, RULE_HEADER, family);
    writer.set(RULE_ACTION, FR_ACT_TO_TBL);
    writer.u32(FRA_PRIORITY, priority);
    writer.u32(FRA_FWMARK, mark);
    writer.u32(FRA_FWMASK, mark);
    writer.copy(FRA_OIFNAME, this.#name, 0, nameLength);
    writer.u32(FRA_TABLE, table);
    writer.u8(FRA_PROTOCOL, ROUTE_PROTOCOL);
    writer.end();
    return this.#socket.ask(writer);
  }

  /** Reads the name of an interface, with its NUL. Its length, or -errno. */
  #readName(index: number): number {
    const writer = this.#writer;
    writer.begin(RTM_GETLINK, 0, IFINFOMSG, 0);
    writer.setWord(IFINFO_INDEX, index);
    writer.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    writer.end();
    const returned = this.#socket.ask(writer);
    if (returned < 0) return returned;
    const socket = this.#socket;
    for (const found = socket.begin(IFINFOMSG); found.next();) {
      if (found.type !== IFLA_IFNAME) continue;
      const size = Math.min(found.valueEnd - found.value, NAME_SIZE);
      for (let i = 0; i < size; i++) this.#name[i] = socket.bytes[found.value + i];
      return size;
    }
    return -EEXIST;
  }
}
