/** Messages of DNS: what is asked, what is believed, and nothing that makes it throw. */
import assert from "node:assert/strict";
import {
  decodeAnswer,
  type DnsQuestion,
  encodeQuestion,
} from "../../../../../src/daemon/upstreams/dns/message.ts";
import { formatIp } from "../../../../../src/net/ip.ts";

const QUESTION: DnsQuestion = { id: 0x1234, name: "proxy.corp.example", family: "ipv4" };
const [A, CNAME, AAAA] = [1, 5, 28];

function name(text: string): number[] {
  return [...text.split(".").flatMap((label) => [label.length, ...new TextEncoder().encode(label)]), 0];
}

const word = (value: number) => [value >> 8, value & 0xff];

interface RecordText {
  readonly owner: number[];
  readonly type: number;
  readonly ttl?: number;
  readonly data: number[];
}

/** An answer, by default to QUESTION. */
function answer(
  records: readonly RecordText[],
  { flags = 0x8180, question = QUESTION, asked = question.name }: {
    flags?: number;
    question?: DnsQuestion;
    asked?: string;
  } = {},
): Uint8Array {
  return Uint8Array.from([
    ...[question.id, flags, 1, records.length, 0, 0].flatMap(word),
    ...name(asked),
    ...word(question.family === "ipv4" ? A : AAAA),
    ...word(1),
    ...records.flatMap(({ owner, type, ttl = 60, data }) => [
      ...owner,
      ...word(type),
      ...word(1),
      ...[ttl >>> 16, ttl & 0xffff].flatMap(word),
      ...word(data.length),
      ...data,
    ]),
  ]);
}

const POINTER = [0xc0, 12];

function told(bytes: Uint8Array, question = QUESTION): unknown {
  const read = decodeAnswer(bytes, question);
  return read?.kind === "addresses" ? [read.addresses.map(formatIp).join(), read.ttl] : read;
}

Deno.test("A question is one name, with recursion, and nothing else", () => {
  assert.deepEqual(
    [...encodeQuestion(QUESTION)!],
    [...[0x1234, 0x0100, 1, 0, 0, 0].flatMap(word), ...name("proxy.corp.example"), ...word(A), ...word(1)],
  );
  for (const bad of ["", "a..b", `${"a".repeat(64)}.b`, Array(64).fill("abc").join("."), "a."]) {
    assert.equal(encodeQuestion({ ...QUESTION, name: bad }), null, bad);
  }
});

Deno.test("All addresses are read, with the least TTL, over aliases", () => {
  const records = [
    { owner: POINTER, type: CNAME, ttl: 20, data: name("pool.example") },
    { owner: name("POOL.example"), type: A, ttl: 300, data: [192, 0, 2, 1] },
    { owner: name("pool.example"), type: A, ttl: 30, data: [192, 0, 2, 2] },
    { owner: name("other.example"), type: A, data: [192, 0, 2, 66] },
    { owner: name("pool.example"), type: AAAA, data: Array(16).fill(1) },
  ];
  assert.deepEqual(told(answer(records)), ["192.0.2.1,192.0.2.2", 20]);
  const six: DnsQuestion = { ...QUESTION, family: "ipv6" };
  const own = [{
    owner: POINTER,
    type: AAAA,
    ttl: 0xffffffff,
    data: [0x20, 1, 0x0d, 0xb8, ...Array(11).fill(0), 1],
  }];
  assert.deepEqual(told(answer(own, { question: six }), six), ["2001:db8::1", 0]);
});

Deno.test("A name that has none is an answer, and so is one that is none", () => {
  assert.deepEqual(told(answer([])), ["", 0]);
  assert.deepEqual(told(answer([], { flags: 0x8183 })), ["", 0]);
  assert.deepEqual(told(answer([], { flags: 0x8182 })), { kind: "failed", code: 2 });
  assert.deepEqual(told(answer([], { flags: 0x8380 })), { kind: "truncated" });
});

Deno.test("Answers to other questions are not believed", () => {
  const records = [{ owner: POINTER, type: A, data: [192, 0, 2, 1] }];
  assert.notEqual(told(answer(records)), null);
  assert.notEqual(told(answer(records, { asked: "Proxy.Corp.EXAMPLE" })), null);
  assert.equal(told(answer(records, { question: { ...QUESTION, id: 1 } })), null);
  assert.equal(told(answer(records, { question: { ...QUESTION, family: "ipv6" } })), null);
  assert.equal(told(answer(records, { asked: "evil.example" })), null);
  assert.equal(told(answer(records, { flags: 0x0180 })), null, "a question");
  assert.deepEqual(told(answer([{ owner: name("evil.example"), type: A, data: [192, 0, 2, 1] }])), ["", 0]);
});

Deno.test("Aliases in a circle, and pointers in a circle, end", () => {
  const circle = [
    { owner: POINTER, type: CNAME, data: name("b.example") },
    { owner: name("b.example"), type: CNAME, data: name("proxy.corp.example") },
  ];
  assert.deepEqual(told(answer(circle)), ["", 0]);
  const bytes = answer([{ owner: POINTER, type: A, data: [192, 0, 2, 1] }]);
  const at = bytes.length - 16;
  assert.equal(bytes[at], 0xc0);
  bytes[at + 1] = at; // to itself
  assert.equal(told(bytes), null);
});

Deno.test("A message of pointers to pointers is not followed, and no more records are read than matter", () => {
  const steps = Array.from(
    { length: 8000 },
    (_, step) => 0xc000 | (step === 0 ? 12 : first() + 2 * step - 2),
  );
  const chain = { owner: POINTER, type: 16, data: steps.flatMap(word) };
  const owner = word(0xc000 | (first() + 2 * steps.length - 2));
  const bytes = answer([
    chain,
    ...Array.from({ length: 3000 }, () => ({ owner, type: A, data: [192, 0, 2, 1] })),
  ]);
  assert.ok(bytes.length <= 0xffff);
  assert.equal(told(bytes), null);
  const many = answer(
    Array.from({ length: 3000 }, () => ({ owner: POINTER, type: A, data: [192, 0, 2, 1] })),
  );
  assert.deepEqual(told(many), [Array(16).fill("192.0.2.1").join(), 60]);

  /** Place of the first record's data. */
  function first(): number {
    return 12 + name(QUESTION.name).length + 4 + 12;
  }
});

Deno.test("Whatever comes, it is read in bounds and without an exception", () => {
  const whole = answer([
    { owner: POINTER, type: CNAME, data: name("pool.example") },
    { owner: name("pool.example"), type: A, data: [192, 0, 2, 1] },
  ]);
  for (let length = 0; length < whole.length; length++) assert.equal(told(whole.subarray(0, length)), null);
  let seed = 7;
  const random = () => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 1) >>> 8;
  for (let round = 0; round < 200_000; round++) {
    const bytes = whole.slice();
    for (let i = random() % 4; i >= 0; i--) bytes[random() % bytes.length] = random();
    const read = decodeAnswer(bytes.subarray(0, bytes.length - random() % 8), QUESTION);
    if (read?.kind === "addresses") assert.ok(read.addresses.every((address) => address.bytes.length === 4));
  }
});
