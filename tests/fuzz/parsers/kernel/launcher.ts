/**
 * Datagrams of a proxy that somebody has taken over, as the launcher's check judges them (ffi/launcher/
 * netlink_check.c): what it lets pass must be the proxy's own, by another reader.
 * @module
 */
import { decodeMessages } from "../../../../src/netlink/message.ts";
import { checkObstacle, loadCheck, type Protocol } from "../../../unit/ffi/launcher/support/check.ts";
import { assertOwn } from "../../../unit/ffi/launcher/support/claims.ts";
import {
  LIMITS,
  netfilterDatagrams,
  type OwnDatagram,
  routeDatagrams,
} from "../../../unit/ffi/launcher/support/own_messages.ts";
import { type Parser } from "../../parser.ts";
import { changeMessages } from "../support/netlink_inputs.ts";
import { wireSamples } from "../support/wire_samples.ts";

/** sizeof(struct nfgenmsg); of struct rtmsg and struct fib_rule_hdr. */
const STRUCTURES: Readonly<Record<Protocol, number>> = { netfilter: 4, route: 12 };
const WORDS: Readonly<Record<Protocol, readonly string[]>> = {
  netfilter: [
    "transparent_proxy\0",
    "transparent_proxy_live\0",
    "transparent_proxy_trial_1\0",
    "filter\0",
    "target\0",
  ],
  route: ["r0\0", "lo\0", "x"],
};
/** Those of a rule set are long; the first ones tell enough. */
const MOST_MESSAGES = 12;
const MOST_BYTES = 4096;

/** The compiler is done before anybody looks at the clock. */
const isThere = checkObstacle() === undefined;
if (isThere) loadCheck();

function judge(protocol: Protocol, own: () => OwnDatagram[], isTheirs: (type: number) => boolean): Parser {
  let samples: Uint8Array[] | undefined;
  const list = () =>
    samples ??= [...own().flatMap(({ datagram }) => pieces(datagram)), ...wireSamples(isTheirs)];
  return {
    name: `launcher-${protocol}`,
    samples: list,
    words: WORDS[protocol],
    most: MOST_BYTES,
    invent: (random) => changeMessages(random.one(list()), random, () => STRUCTURES[protocol]),
    read(input) {
      const passes = loadCheck()(protocol, input, LIMITS);
      return passes ? `passes ${assertOwn(protocol, input, LIMITS)}` : `refused ${describe(input)}`;
    },
  };
}

function pieces(datagram: Uint8Array): Uint8Array[] {
  if (datagram.length <= MOST_BYTES) return [datagram];
  const messages = decodeMessages(datagram);
  const last = messages.at(-1)!;
  const end = datagram.subarray(last.body.byteOffset - datagram.byteOffset - 16);
  const from = (index: number) => {
    const message = messages[Math.min(index, messages.length - 1)];
    return message.body.byteOffset - datagram.byteOffset - 16;
  };
  const found: Uint8Array[] = [];
  for (let at = 0; at < messages.length; at += MOST_MESSAGES) {
    const piece = datagram.subarray(from(at), from(at + MOST_MESSAGES));
    if (piece.length + end.length <= MOST_BYTES) found.push(Uint8Array.of(...piece, ...end));
  }
  return found;
}

function describe(input: Uint8Array): string {
  try {
    return decodeMessages(input).map(({ type }) => type.toString(16)).join(" ").slice(0, 40);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return "no message";
  }
}

/** Both, where this machine has a compiler for them. */
export const launcherChecks: readonly Parser[] = isThere
  ? [
    judge("netfilter", netfilterDatagrams, (type) => type >> 8 === 10 || type >> 8 === 11),
    judge("route", routeDatagrams, (type) => type >= 16 && type < 48),
  ]
  : [];
