import assert from "node:assert/strict";
import { AF_INET } from "../../../../../ffi/consts.ts";
import { loadText } from "../../../../../src/config/load.ts";
import { writeIpv4 } from "../../../../../src/dataplane/asking/packet/ends.ts";
import {
  ASKED_CLIENT,
  ASKED_DESTINATION,
  Question,
  type RoutedPacket,
} from "../../../../../src/dataplane/asking/question.ts";
import { ticks } from "../../../../../src/dataplane/loop/wheel.ts";
import { settingsOf } from "../../../../../src/dataplane/settings.ts";
import { COUNTER } from "../../../../../src/dataplane/shared/state.ts";
import { makeSolo } from "../../../../../src/dataplane/solo.ts";
import type { KnownFlow } from "../../../../../src/dataplane/watching/datagrams/known_flow.ts";
import type { DatagramSender } from "../../../../../src/dataplane/watching/datagrams/sender.ts";
import { MOST_HELD, MOST_OF_FLOW } from "../../../../../src/dataplane/watching/datagrams/held.ts";
import { DatagramWatcher, MOST_WAITING } from "../../../../../src/dataplane/watching/datagrams/watcher.ts";
import { createLogger } from "../../../../../src/log.ts";
import { compilePolicy } from "../../../../../src/policy/compile.ts";
import { buildNameSets } from "../../../../../src/policy/name_sets.ts";
import { Policy } from "../../../../../src/policy/policy.ts";
import { recorded } from "../../../sniff/recordings.ts";

const HEADERS = 28;
const BLOCK = "rules: [{ name: no, domains: [recorded.example], action: block }]\ndefault: bypass";
const PASS = "rules: [{ name: no, domains: [other.example], action: block }]\ndefault: bypass";
const LEAD = `upstreams: { a: { type: socks5, address: "192.0.2.1:1" } }
rules: [{ name: away, domains: [recorded.example], action: proxy, upstream: a }]
default: bypass`;

/** Notes what is asked of it, a word for each. */
class FakeSender implements DatagramSender {
  readonly done: string[] = [];
  answer = 0;

  tell({ ends }: KnownFlow): number {
    assert.equal(ends[0] & 0xffff, AF_INET);
    this.done.push("told");
    return this.answer;
  }

  send({ bytes, offset, length, header, answer }: RoutedPacket): number {
    assert.deepEqual([answer.mark, answer.oif], [7, 3]);
    this.done.push(`sent ${bytes[offset + header + 8]} ${length}`);
    return 0;
  }

  canSend(): boolean {
    return true;
  }

  refuse(): number {
    this.done.push("refused");
    return 1;
  }
}

function setUp(yaml: string) {
  const { config } = loadText(yaml, "f");
  const log = createLogger({ level: "info", format: "text", write: () => {} });
  const { context, books } = makeSolo({
    log,
    settings: settingsOf(config, { connections: 8, udpSessions: 8 }),
  });
  context.totals.adopt(books.begin({ generation: 1, rules: ["no"], otherwise: "default" }));
  books.ended.want(true);
  const rule = (text: string) => {
    const { config } = loadText(text, "f");
    const { images } = buildNameSets(config, new Map(), new Int32Array(2));
    context.policy = new Policy(compilePolicy(config, 1, images));
  };
  rule(yaml);
  const sender = new FakeSender();
  const watcher = new DatagramWatcher(context, sender);
  const pass = (ms: number) => context.clock.tick += ms;
  return { watcher, sender, books, context, rule, pass };
}

/** Of a client whose address ends with `host`. */
function datagram(data: Uint8Array, port = 5000, host = 2): Question {
  const question = new Question();
  question.bytes = new Uint8Array(HEADERS + data.length);
  question.bytes.set([0x45, 0, 0, 0, 0, 0, 0x40, 0, 63, 17]);
  question.bytes.set(data, HEADERS);
  question.length = HEADERS + data.length;
  question.header = 20;
  question.data = HEADERS;
  question.dataLength = data.length;
  question.protocol = 17;
  question.answer.mark = 7;
  question.answer.oif = 3;
  writeIpv4(question.addresses, ASKED_CLIENT, 0x0000000a | (host << 24), port);
  writeIpv4(question.addresses, ASKED_DESTINATION, 0x097100cb, 443);
  return question;
}

/** The words for sending these. */
function sent(datagrams: readonly Uint8Array[]): string[] {
  return datagrams.map((data) => `sent ${data[0]} ${HEADERS + data.length}`);
}

for (const client of ["chromium", "chromium-v2", "firefox", "deno", "ngtcp2"]) {
  Deno.test(`DatagramWatcher: datagrams of ${client} wait for the name, and go on in their order`, () => {
    const { watcher, sender } = setUp(PASS);
    const datagrams = recorded(`quic-${client}`);
    for (const data of datagrams) watcher.take(datagram(data));
    assert.deepEqual(sender.done, ["told", ...sent(datagrams)]);
    assert.equal(watcher.timeout(), -1);
  });

  Deno.test(`DatagramWatcher: a name of ${client} ends the flow, once in the books`, () => {
    const { watcher, sender, books } = setUp(BLOCK);
    const datagrams = recorded(`quic-${client}`);
    for (const data of datagrams) watcher.take(datagram(data));
    assert.deepEqual(sender.done, datagrams.map(() => "refused"));
    const { name, ending } = books.ended.read()!;
    assert.deepEqual([name, ending], ["recorded.example", "blocked"]);
    assert.equal(books.ended.read(), undefined);
  });
}

Deno.test("DatagramWatcher: what is no Initial does not wait", () => {
  const { watcher, sender } = setUp(BLOCK);
  watcher.take(datagram(new Uint8Array(5)));
  assert.deepEqual(sender.done, ["told", "sent 0 33"]);
});

Deno.test("DatagramWatcher: a hello that never becomes whole has a second", () => {
  const { watcher, sender, pass } = setUp(BLOCK);
  const [first] = recorded("quic-chromium");
  watcher.take(datagram(first));
  const wait = watcher.timeout();
  assert.ok(wait > 900 && wait <= 1000, `${wait}`);
  watcher.turn();
  assert.deepEqual(sender.done, []);
  pass(100_000);
  watcher.turn();
  assert.deepEqual(sender.done, ["told", ...sent([first])]);
});

Deno.test("DatagramWatcher: of what conntrack has forgotten, another name is read", () => {
  const { watcher, sender, rule, pass } = setUp(PASS);
  const datagrams = recorded("quic-firefox");
  for (const data of datagrams) watcher.take(datagram(data));
  rule(BLOCK);
  // On its way when the flow was released.
  watcher.take(datagram(new Uint8Array(3)));
  assert.equal(sender.done.at(-1), "sent 0 31");
  pass(100_000);
  for (const data of datagrams) watcher.take(datagram(data));
  assert.equal(sender.done.at(-1), "refused");
});

Deno.test("DatagramWatcher: what conntrack does not see comes on and on, and goes on as was decided", () => {
  const { watcher, sender, pass } = setUp(
    "rules: [{ name: yes, domains: [recorded.example], action: bypass }]\ndefault: block",
  );
  const send = (data: Uint8Array) => watcher.take(Object.assign(datagram(data), { isUntracked: true }));
  const datagrams = recorded("quic-firefox");
  for (const data of datagrams) send(data);
  assert.deepEqual(sender.done, ["told", ...sent(datagrams)]);
  for (let i = 0; i < 3; i++) {
    pass(ticks(20_000));
    send(new Uint8Array(3));
    assert.equal(sender.done.at(-1), "sent 0 31");
  }
  pass(ticks(31_000));
  send(new Uint8Array(3));
  assert.equal(sender.done.at(-1), "refused");
});

Deno.test("DatagramWatcher: rules that lead elsewhere by now let nothing go past the upstream", () => {
  const { watcher, sender, rule } = setUp(PASS);
  rule(LEAD);
  for (const data of recorded("quic-ngtcp2")) watcher.take(datagram(data));
  assert.deepEqual(sender.done, []);
});

Deno.test("DatagramWatcher: where conntrack cannot be told, nothing is sent, and the next one asks again", () => {
  const { watcher, sender } = setUp(PASS);
  sender.answer = -12;
  watcher.take(datagram(new Uint8Array(5)));
  assert.deepEqual([sender.done, watcher.failure], [["told"], -12]);
  sender.answer = 0;
  watcher.take(datagram(new Uint8Array(5)));
  assert.deepEqual(sender.done, ["told", "told", "sent 0 33"]);
});

Deno.test("DatagramWatcher: a client with many flows that wait keeps no other's name from being read", () => {
  const [half] = recorded("quic-chromium");
  const whole = recorded("quic-chromium");
  for (
    const [yaml, fate] of [[BLOCK, whole.map(() => "refused")], [PASS, ["told", ...sent(whole)]]] as const
  ) {
    const { watcher, sender, context } = setUp(yaml);
    for (const flows of [MOST_WAITING - 1, MOST_WAITING, MOST_WAITING + 1, 3 * MOST_WAITING]) {
      for (let i = 0; i < flows; i++) watcher.take(datagram(half, i + 1, 3));
      assert.deepEqual(sender.done, [], "a flow of the other client did not wait");
      for (const data of whole) watcher.take(datagram(data));
      assert.deepEqual(sender.done.splice(0), fate, `after ${flows}`);
      context.clock.tick += ticks(100_000);
      watcher.forsake();
    }
  }
});

Deno.test("DatagramWatcher: nor does one with many datagrams that wait, which has only its own dropped", () => {
  const [half] = recorded("quic-chromium");
  const whole = recorded("quic-chromium");
  const { watcher, sender, context } = setUp(BLOCK);
  const flows = MOST_HELD / MOST_OF_FLOW;
  for (let port = 1; port <= flows; port++) {
    for (let i = 0; i < MOST_OF_FLOW; i++) watcher.take(datagram(half, port, 3));
  }
  assert.equal(context.counters[COUNTER.watchDropped], 0);
  watcher.take(datagram(whole[0]));
  assert.equal(context.counters[COUNTER.watchDropped], MOST_OF_FLOW, "not the oldest flow alone");
  for (let port = 100; port < 400; port++) watcher.take(datagram(half, port, 3));
  assert.deepEqual(sender.done, []);
  for (const data of whole.slice(1)) watcher.take(datagram(data));
  assert.deepEqual(sender.done, whole.map(() => "refused"));
});

Deno.test("DatagramWatcher: one alone that has all that may wait loses its oldest flow, and no more", () => {
  const [half] = recorded("quic-chromium");
  const whole = recorded("quic-chromium");
  const { watcher, sender, context } = setUp(PASS);
  for (let port = 1; port <= MOST_WAITING + 1; port++) watcher.take(datagram(half, port));
  assert.deepEqual([sender.done, context.counters[COUNTER.watchDropped]], [[], 1]);
  // The second still waits; the first begins anew.
  watcher.take(datagram(whole[1], 2));
  assert.deepEqual(sender.done.splice(0), ["told", ...sent(whole.slice(0, 2))]);
  watcher.take(datagram(whole[1], 1));
  assert.deepEqual([sender.done, context.counters[COUNTER.watchDropped]], [[], 1]);
});

Deno.test("DatagramWatcher: where its own flow has to make room, all of it is repeated", () => {
  const [half] = recorded("quic-chromium");
  const { watcher, sender, context } = setUp(PASS);
  const flows = MOST_HELD / MOST_OF_FLOW;
  for (let port = 1; port <= flows; port++) {
    for (let i = port === 1 ? 1 : 0; i < MOST_OF_FLOW; i++) watcher.take(datagram(half, port));
  }
  watcher.take(datagram(half, 1000));
  watcher.take(datagram(half, 1));
  assert.deepEqual([sender.done, context.counters[COUNTER.watchDropped]], [[], MOST_OF_FLOW]);
  // Begins anew.
  watcher.take(datagram(half, 1));
  assert.deepEqual([sender.done, context.counters[COUNTER.watchDropped]], [[], MOST_OF_FLOW]);
});

Deno.test("DatagramWatcher: of one flow no more waits than a queue", () => {
  const { watcher, sender } = setUp(PASS);
  const [half] = recorded("quic-chromium");
  for (let i = 0; i < MOST_OF_FLOW; i++) watcher.take(datagram(half, 6000));
  assert.equal(sender.done.length, 0);
  for (let i = MOST_OF_FLOW; i < 40; i++) watcher.take(datagram(half, 6000));
  assert.equal(sender.done.filter((done) => done.startsWith("sent")).length, 40);
});
