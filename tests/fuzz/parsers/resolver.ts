/**
 * Answers of DNS servers, and the file that names them.
 * @module
 */
import assert from "node:assert/strict";
import { decodeAnswer, encodeQuestion } from "../../../src/daemon/upstreams/dns/message.ts";
import { namesToAsk, parseResolvConf } from "../../../src/daemon/upstreams/dns/resolv_conf.ts";
import type { Random } from "../../laboratory/proxy/policies.ts";
import { join, mutate } from "../engine/mutate.ts";
import type { Parser } from "../parser.ts";

const QUESTION = { id: 0x1234, name: "proxy.corp.example", family: "ipv4" } as const;
const SIX = { ...QUESTION, family: "ipv6" } as const;

/** An answer: the question, marked as answered, and records behind it. */
function answerTo(question: typeof QUESTION | typeof SIX, ...records: readonly number[][]): Uint8Array {
  const head = encodeQuestion(question)!;
  head[2] = 0x81;
  head[3] = 0x80;
  head[7] = records.length;
  return join(head, ...records);
}

const MOST = 65_535;
const AT = [0xc0, 12];
const record = (owner: readonly number[], type: number, data: readonly number[]) => [
  ...owner,
  ...[0, type, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 0xff],
  ...data,
];
const POOL = [4, 0x70, 0x6f, 0x6f, 0x6c, 0xc0, 18];

/** An answer whose records name, and point, anywhere. */
function inventAnswer(random: Random): Uint8Array {
  const pointer = () => [0xc0 | random.below(random.one([1, 4, 64])), random.below(256)];
  const owner = () => random.one([AT, POOL, pointer(), [random.below(70), 0x78, ...pointer()]]);
  const data = () =>
    random.one([
      [192, 0, 2, random.below(256)],
      Array(16).fill(1),
      owner(),
      Array.from({ length: random.below(60) }, pointer).flat(),
    ]);
  const count = random.below(random.one([4, 40, 400]));
  const records = Array.from({ length: count }, () => record(owner(), random.one([1, 5, 16, 28]), data()));
  const answer = answerTo(random.one([QUESTION, SIX]), ...records);
  answer.set([records.length >> 8, records.length & 0xff], 6);
  return random.below(2) === 0 ? answer : mutate(answer, { random, most: MOST });
}

/** Answers, read as those to a question for either family. */
export const dns: Parser = {
  name: "dns",
  most: MOST,
  invent: inventAnswer,
  samples: () => [
    answerTo(QUESTION, record(AT, 1, [192, 0, 2, 1]), record(AT, 1, [192, 0, 2, 2])),
    answerTo(QUESTION, record(AT, 5, POOL), record(POOL, 1, [192, 0, 2, 1])),
    answerTo(SIX, record(AT, 28, Array(16).fill(1))),
    answerTo(QUESTION, record(AT, 16, Array(255).fill(0xc0))),
    answerTo(QUESTION),
  ],
  words: ["\xc0\x0c", "\x04pool", "\0\x01\0\x01", "\0\x05\0\x01", "\0\x1c\0\x01"],
  read(input) {
    const kinds = [QUESTION, SIX].map((question) => {
      const read = decodeAnswer(input, question);
      if (read?.kind !== "addresses") return read?.kind ?? "none";
      const { addresses, ttl } = read;
      const length = question.family === "ipv4" ? 4 : 16;
      assert.ok(addresses.length <= 16 && addresses.every(({ bytes }) => bytes.length === length));
      assert.ok(ttl >= 0 && ttl <= 0x7fffffff);
      return `${addresses.length} addresses`;
    });
    return kinds.join();
  },
};

/** The file. */
export const resolvConf: Parser = {
  name: "resolv-conf",
  samples: () => [new TextEncoder().encode("nameserver 192.0.2.1\nsearch a.example b.example.\noptions x\n")],
  words: ["nameserver ", "search ", "domain ", "\n", "fe80::1%eth0", ".", " "],
  read(input) {
    const read = parseResolvConf(new TextDecoder().decode(input));
    assert.ok(read.servers.length > 0 && read.servers.length <= 3 && read.search.length <= 6);
    assert.ok(namesToAsk("proxy", read).length <= 7);
    return `${read.servers.length} ${read.search.length}`;
  },
};
