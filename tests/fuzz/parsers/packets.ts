/**
 * Packets of clients in the kernel's copies (NFLOG): first ones, and held segments of watched streams.
 * @module
 */
import assert from "node:assert/strict";
import { WATCH_PREFIX } from "../../../src/constants.ts";
import { hasPartialChecksum, mendChecksum } from "../../../src/dataplane/asking/packet/checksums.ts";
import { type Memory, readFirstPacket } from "../../../src/dataplane/asking/packet/first_packet.ts";
import { LogMessage } from "../../../src/dataplane/asking/packet/log_message.ts";
import { Translated } from "../../../src/dataplane/asking/packet/translated.ts";
import { Question } from "../../../src/dataplane/asking/question.ts";
import { ENDS, GOES_ON, type Judge } from "../../../src/dataplane/watching/judge.ts";
import { Parts } from "../../../src/dataplane/watching/parts.ts";
import { Reset } from "../../../src/dataplane/watching/reset.ts";
import { Segment } from "../../../src/dataplane/watching/segment.ts";
import { HEAD_BYTES } from "../../../src/dataplane/watching/streams.ts";
import { Watcher } from "../../../src/dataplane/watching/watcher.ts";
import type { Way } from "../../../src/dataplane/watching/way.ts";
import type { Random } from "../../laboratory/proxy/policies.ts";
import { inMemory, recorded, RECORDINGS } from "../../unit/dataplane/asking/recordings.ts";
import { makePacket } from "../../unit/dataplane/watching/support.ts";
import { join, mutate, randomBytes } from "../engine/mutate.ts";
import type { Parser } from "../parser.ts";
import { joinParts, splitParts } from "./support/parts.ts";
import { logOf } from "./support/log_messages.ts";

const AT = 64;
const MOST = 4096;
const BEGIN = WATCH_PREFIX.begin.charCodeAt(0);
/** The smallest MTU of IPv6, and what IPv4 may come down to. */
const PART_SIZES = [1280, 576];

/** Reads the messages of a datagram, and asserts that nothing around it was touched or mattered. */
function readMessages<T>(input: Uint8Array, makeTaker: () => (memory: Memory, log: LogMessage) => T): T[] {
  const [one, other] = [0x00, 0xff].map((filler) => {
    const memory = inMemory(input, AT, 64);
    const end = AT + input.length;
    memory.bytes.fill(filler, 0, AT).fill(filler, end);
    const log = new LogMessage();
    const taken: T[] = [];
    const take = makeTaker();
    for (let at = AT; at < end;) {
      const next = log.read(memory.bytes, at, end);
      assert.ok(next > at, "the reader stands still");
      at = next;
      if (log.prefix === 0) continue;
      assert.ok(log.payload >= AT && log.payload + log.length <= end);
      taken.push(take(memory, log));
    }
    const around = [...memory.bytes.subarray(0, AT), ...memory.bytes.subarray(end)];
    assert.ok(around.every((byte) => byte === filler), "something around was changed");
    return { taken, bytes: memory.bytes.slice(AT, end) };
  });
  assert.deepEqual(one, other, "what lies around was read");
  return one.taken;
}

/** First packets: messages of a log group. */
export const question: Parser = {
  name: "first-packet",
  most: MOST,
  samples: () => RECORDINGS.map((name) => join(...recorded(name))),
  invent(random) {
    const [protocol, header] = random.one([[6, 20], [17, 8]] as const);
    return join(
      ...Array.from(
        { length: 1 + random.below(3) },
        () => logOf(inventPacket(random, protocol, header), random.one([..."psuto"])),
      ),
    );
  },
  read(input) {
    const taken = readMessages(input, () => {
      const translated = new Translated();
      return (memory, log) => {
        const asked = new Question();
        if (!readFirstPacket(asked, memory, log)) return "no question";
        const { offset, length, header, data, dataLength, protocol, answer } = asked;
        assert.ok(offset >= log.payload && offset + length <= log.payload + log.length);
        assert.ok(header < length && data + dataLength <= log.payload + log.length);
        mendChecksum(asked);
        hasPartialChecksum(asked);
        const joined = translated.join(asked);
        translated.keep(asked);
        return [protocol, joined, Math.sign(answer.mss), asked.addresses[0] & 0xffff].join();
      };
    });
    return [...new Set(taken)].join(" ").slice(0, 60);
  },
};

/** Says that a head is whole at its end, and sometimes that the stream has to end. */
class OddJudge implements Judge {
  judge(bytes: Uint8Array, length: number, _segment: Segment, isWhole: boolean): number {
    assert.ok(length > 0 && length <= HEAD_BYTES);
    const last = bytes[length - 1];
    return isWhole || last < 0x10 ? GOES_ON : last > 0xf0 ? ENDS : length + 1;
  }
}

/** Cuts what is sent into parts, as for a link that takes nothing larger. */
class CuttingWay implements Way {
  readonly #parts = new Parts();
  readonly #reset = new Reset();
  #segments = 0;

  readonly #send = (segment: Segment): number => {
    const end = segment.data + segment.dataLength;
    if (this.#parts.begin(segment)) {
      do {
        this.#parts.take(PART_SIZES[this.#segments++ % PART_SIZES.length]);
        assert.ok(segment.length > 0 && segment.offset + segment.length <= end);
        mendChecksum(segment);
      } while (this.#parts.next());
    }
    return 0;
  };
  pass = this.#send;
  release = this.#send;
  refuse = this.#send;
  drop = (): number => 0;
  resetServer = (segment: Segment, next: number): number => {
    mendChecksum(this.#reset.of(segment, next));
    return 0;
  };
}

/** Held segments: packets, each behind its length, with the first letter of the rule's prefix before it. */
export const segment: Parser = {
  name: "held-segment",
  most: MOST,
  samples: () => [
    joinParts([
      logOf(makePacket({ syn: true }), "b"),
      logOf(makePacket({ sequence: 1001, data: new Uint8Array(100).fill(0x41) }), "h"),
      logOf(makePacket({ sequence: 1101, data: new Uint8Array(3000).fill(0xff) }), "h"),
    ]),
    joinParts([
      logOf(makePacket({ family: 6, syn: true }), "b"),
      logOf(makePacket({ family: 6, sequence: 1001, data: new Uint8Array(2000) }), "h"),
    ]),
  ],
  invent: (random) =>
    joinParts(
      Array.from({ length: 1 + random.below(6) }, () =>
        logOf(inventPacket(random, 6, 20), random.one(["b", "h"]))),
    ),
  read(input) {
    const kinds = splitParts(input).flatMap((datagram) =>
      readMessages(datagram, () => (memory, log) => {
        const held = new Segment();
        if (!held.read({ ...memory, high: 1 }, log, log.payload)) return "none";
        const { offset, length, data, dataLength, header } = held;
        const end = log.payload + log.length;
        assert.ok(offset === log.payload && offset + length <= end && dataLength >= 0);
        assert.ok(data + dataLength <= end && header >= 20);
        return held.isIpv4 ? 4 : 6;
      })
    );
    const fates = kinds.includes(4) || kinds.includes(6) ? watch(splitParts(input)) : [];
    return [...new Set([...kinds, ...fates])].join(" ");
  },
};

/** Has a watcher take them all. Returns their fates. */
function watch(datagrams: readonly Uint8Array[]): string[] {
  const watcher = new Watcher(new OddJudge());
  const way = new CuttingWay();
  const held = new Segment();
  const log = new LogMessage();
  const fates: string[] = [];
  for (const datagram of datagrams) {
    const memory = { ...inMemory(datagram, AT, 64), high: 1 };
    const end = AT + datagram.length;
    for (let at = AT; at < end;) {
      at = log.read(memory.bytes, at, end);
      if (log.prefix === 0 || !held.read(memory, log, log.payload)) continue;
      if (log.prefix !== BEGIN) fates.push(watcher.take(held, way));
      else if (held.isSyn) watcher.begin(held);
    }
  }
  return fates;
}

/** A packet with a right header around what is almost right. */
function inventPacket(random: Random, protocol: number, headerSize: number): Uint8Array {
  const family = random.one([4, 6] as const);
  const data = randomBytes(random, random.below(200));
  const packet = makePacket({ family, data, syn: random.below(2) === 0, sequence: 1000 + random.below(300) });
  packet[family === 4 ? 9 : 6] = protocol;
  const at = family === 4 ? 20 : 40;
  if (protocol === 17) {
    packet.set([(headerSize + data.length) >> 8, (headerSize + data.length) & 0xff], at + 4);
  }
  return random.below(3) === 0 ? packet : mutate(packet, { random, most: 2000 });
}
