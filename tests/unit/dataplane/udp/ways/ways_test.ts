import assert from "node:assert/strict";
import { Answer } from "../../../../../src/dataplane/asking/answer.ts";
import { CLOSED } from "../../../../../src/dataplane/shared/endings.ts";
import { ADDRESS_WORDS } from "../../../../../src/dataplane/shared/columns.ts";
import { IS_CHILD, OTHER, SHARES, UdpTable } from "../../../../../src/dataplane/udp/table.ts";
import { Detours } from "../../../../../src/dataplane/udp/ways/detours.ts";
import { wayOf } from "../../../../../src/dataplane/udp/ways/way.ts";
import { NOWHERE, Ways } from "../../../../../src/dataplane/udp/ways/ways.ts";
import { sockaddr } from "../../support/addresses.ts";
import { testLedger } from "../../support/test_ledger.ts";

const CLIENT = "10.77.1.2:5000";

/** An answer: from `source` to `target`, out of an interface, with a mark. */
function makeAnswer(
  target: string,
  { source = "203.0.113.1:5000", oif = 3, mark = 0 } = {},
): Answer {
  const answer = new Answer();
  answer.words.set(sockaddr(source).subarray(0, ADDRESS_WORDS), answer.sourceAt);
  answer.words.set(sockaddr(target).subarray(0, ADDRESS_WORDS), answer.destinationAt);
  answer.oif = oif;
  answer.mark = mark;
  return answer;
}

/** A table with one session, and ways that open children. */
class Stage {
  readonly table = new UdpTable(testLedger(1000).ledger);
  readonly parent: number;
  readonly ways: Ways;
  opened = 0;
  /** The next child shares the address of this session. */
  sharesWith = -1;
  room = true;

  constructor(first: Answer) {
    this.ways = new Ways(this.table, {
      openChild: (parent, _words, _at, answer) => {
        if (!this.room) return NOWHERE;
        this.opened++;
        const traits = IS_CHILD | (this.sharesWith < 0 ? 0 : SHARES);
        const child = this.#open(answer, traits);
        this.ways.kin.add(parent, child, this.sharesWith < 0 ? child : this.sharesWith);
        return child;
      },
    });
    this.parent = this.#open(first, 0);
  }

  #open(answer: Answer, traits: number): number {
    const begin = { fd: 9, tick: 0, time: 0, kind: OTHER, way: wayOf(answer, 7, true), traits };
    return this.table.open(sockaddr(CLIENT), 0, begin);
  }

  /** Heeds an answer about a destination: the session, and the address at which it is reached. */
  heed(destination: string, answer: Answer, isFirst = false, tick = 0): [number, Int32Array] {
    const words = sockaddr(destination);
    const way = wayOf(answer, 7, true);
    const slot = this.ways.heed(this.parent, { words, at: 0 }, { answer, way }, { tick, isFirst });
    return [slot, words];
  }

  follow(destination: string, tick = 0): [number, Int32Array] {
    const words = sockaddr(destination);
    return [this.ways.follow(this.parent, words, 0, tick), words];
  }

  restored(slot: number, from: string): Int32Array {
    const words = sockaddr(from);
    this.ways.restore(slot, words, 0);
    return words;
  }
}

Deno.test("wayOf() tells interface, mark and address apart, not the port", () => {
  const number = (answer: Answer, ownSource = true) => wayOf(answer, 7, ownSource);
  const usual = number(makeAnswer("192.0.2.1:53"));
  assert.equal(number(makeAnswer("192.0.2.2:54", { source: "203.0.113.1:1024" })), usual);
  const others = [{ oif: 4 }, { mark: 0x20000 }, { source: "198.18.0.1:5000" }]
    .map((other) => number(makeAnswer("192.0.2.1:53", other)));
  assert.equal(new Set([usual, ...others]).size, 4);
  const source = makeAnswer("192.0.2.1:53", { source: "198.18.0.1:5000" });
  assert.equal(number(source, false), number(makeAnswer("192.0.2.1:53"), false), "source: router");
  const ipv6 = (text: string) => number(makeAnswer("[2001:db8::2]:53", { source: text }));
  assert.notEqual(ipv6("[2001:db8::1]:5"), ipv6("[2001:db8:0:0:1::1]:5"));
});

Deno.test("Ways keeps nothing for destinations that go the usual way", () => {
  const stage = new Stage(makeAnswer("192.0.2.1:53"));
  for (const to of ["192.0.2.1:53", "192.0.2.2:443"]) {
    const [slot, words] = stage.heed(to, makeAnswer(to));
    assert.equal(slot, stage.parent);
    assert.deepEqual(words, sockaddr(to));
  }
  assert.equal(stage.table.traits[stage.parent], 0);
  assert.equal(stage.opened, 0);
});

Deno.test("Ways leads a translated destination elsewhere, and gives its answers the first address back", () => {
  const stage = new Stage(makeAnswer("192.168.5.10:53"));
  const [slot, words] = stage.heed("8.8.8.8:53", makeAnswer("192.168.5.10:53"), true);
  assert.equal(slot, stage.parent, "the session was opened for it");
  assert.deepEqual(words.subarray(0, 2), sockaddr("192.168.5.10:53").subarray(0, 2));
  assert.deepEqual(stage.follow("8.8.8.8:53")[1].subarray(0, 2), words.subarray(0, 2));
  assert.deepEqual(
    stage.restored(slot, "192.168.5.10:53").subarray(0, 2),
    sockaddr("8.8.8.8:53").subarray(0, 2),
  );
  const other = sockaddr("192.168.5.10:54");
  assert.deepEqual(stage.restored(slot, "192.168.5.10:54"), other, "nobody was translated to this one");
  assert.deepEqual(stage.follow("8.8.4.4:53"), [stage.parent, sockaddr("8.8.4.4:53")]);
});

Deno.test("Ways writes nothing behind an address, where the kernel's next message stands", () => {
  const stage = new Stage(makeAnswer("192.168.5.10:53"));
  stage.heed("8.8.8.8:53", makeAnswer("192.168.5.10:53"), true);
  const words = new Int32Array(16).fill(-1);
  words.set(sockaddr("8.8.8.8:53").subarray(0, 2));
  stage.ways.follow(stage.parent, words, 0, 0);
  assert.deepEqual(words.subarray(2), new Int32Array(14).fill(-1));
});

Deno.test("Ways keeps two destinations that are translated to one apart: by a socket of its own", () => {
  const stage = new Stage(makeAnswer("192.168.5.10:53"));
  const target = makeAnswer("192.168.5.10:53");
  const [first] = stage.heed("8.8.8.8:53", target, true);
  const [second] = stage.heed("1.1.1.1:53", target);
  assert.notEqual(second, first);
  assert.equal(stage.restored(first, "192.168.5.10:53")[1], sockaddr("8.8.8.8:53")[1]);
  assert.equal(stage.restored(second, "192.168.5.10:53")[1], sockaddr("1.1.1.1:53")[1]);
  const [itself] = stage.heed("192.168.5.10:53", target);
  assert.ok(itself !== first && itself !== second, "nor with the target itself");
  assert.equal(stage.restored(itself, "192.168.5.10:53")[1], sockaddr("192.168.5.10:53")[1]);
  assert.equal(stage.heed("1.1.1.1:53", target)[0], second, "the same when it asks again");
  assert.equal(stage.opened, 2);
});

Deno.test("Ways does not use a session that talks to others for a translated destination", () => {
  const stage = new Stage(makeAnswer("192.168.5.10:53"));
  stage.heed("192.168.5.10:53", makeAnswer("192.168.5.10:53"), true);
  const [slot] = stage.heed("8.8.8.8:53", makeAnswer("192.168.5.10:53"));
  assert.notEqual(slot, stage.parent);
  assert.equal(stage.restored(stage.parent, "192.168.5.10:53")[1], sockaddr("192.168.5.10:53")[1]);
});

Deno.test("Ways has one more session for each other way, and follows when a way changes", () => {
  const stage = new Stage(makeAnswer("192.0.2.1:53"));
  const other = { oif: 4, source: "198.18.0.1:5000" };
  const [one] = stage.heed("192.0.2.5:443", makeAnswer("192.0.2.5:443", other));
  const [two] = stage.heed("192.0.2.6:443", makeAnswer("192.0.2.6:443", other));
  assert.ok(one !== stage.parent && one === two);
  assert.equal(stage.follow("192.0.2.6:443")[0], one);
  assert.equal(stage.follow("192.0.2.7:443")[0], stage.parent);
  const [back] = stage.heed("192.0.2.5:443", makeAnswer("192.0.2.5:443"));
  assert.equal(back, stage.parent, "it goes the usual way now");
  assert.equal(stage.follow("192.0.2.5:443")[0], stage.parent);
  assert.equal(stage.follow("192.0.2.6:443")[0], one);
  stage.room = false;
  assert.equal(stage.heed("192.0.2.6:443", makeAnswer("192.0.2.6:443", { mark: 9 }))[0], NOWHERE);
});

Deno.test("Ways leads nowhere when the session of a way has ended, until the router is asked again", () => {
  const stage = new Stage(makeAnswer("192.0.2.1:53"));
  const other = makeAnswer("192.0.2.5:443", { oif: 4 });
  const [child] = stage.heed("192.0.2.5:443", other);
  stage.ways.closing(child);
  stage.table.close(child, CLOSED);
  assert.equal(stage.follow("192.0.2.5:443")[0], NOWHERE, "not by the usual way");
  assert.deepEqual(stage.ways.kin.childrenOf(stage.parent), []);
  const [again] = stage.heed("192.0.2.5:443", other);
  assert.equal(stage.follow("192.0.2.5:443")[0], again);
  assert.equal(stage.opened, 2);
});

Deno.test("Ways restores answers to whichever socket of one address they come", () => {
  const stage = new Stage(makeAnswer("192.0.2.1:53"));
  stage.heed("192.0.2.1:53", makeAnswer("192.0.2.1:53"), true);
  stage.sharesWith = stage.parent;
  const [child] = stage.heed("8.8.8.8:53", makeAnswer("192.168.5.10:53", { mark: 5 }));
  assert.equal(stage.ways.leaderOf(child), stage.parent);
  for (const slot of [child, stage.parent]) {
    assert.equal(stage.restored(slot, "192.168.5.10:53")[1], sockaddr("8.8.8.8:53")[1]);
  }
});

Deno.test("Ways bounds what it keeps for a session: only what is not used any more makes room", () => {
  const stage = new Stage(makeAnswer("192.0.2.1:53"));
  const host = (i: number) => `198.18.${i >> 8}.${i & 255}:53`;
  const lead = (i: number, tick: number) =>
    stage.heed(host(i), makeAnswer(host(i), { oif: 4 }), false, tick)[0];
  for (let i = 0; i < 4096; i++) assert.notEqual(lead(i, 0), NOWHERE);
  assert.equal(lead(5000, 50), NOWHERE, "a flow may still go by any of them");
  assert.notEqual(lead(5000, 101), NOWHERE);
  assert.equal(stage.follow(host(5000))[0], stage.follow(host(9))[0]);
});

Deno.test("Detours of all sessions are bounded: only what is not used any more makes room", () => {
  const detours = new Detours();
  const lead = (session: number, i: number, tick: number) => {
    const words = sockaddr(`198.18.${i >> 8}.${i & 255}:53`);
    return detours.set(session, { slot: session, leader: session }, { words, at: 0 }, { words, at: 0 }, tick);
  };
  for (let i = 0; i < 65536; i++) assert.ok(lead(i >> 11, i & 2047, 0));
  assert.ok(!lead(99, 1, 50));
  const answered = sockaddr("198.18.0.0:53");
  detours.restore(0, answered, 0, 60);
  assert.ok(lead(99, 1, 101));
  assert.ok(detours.has(0, sockaddr("198.18.0.0:53"), 0), "it was answered");
  assert.ok(!detours.has(0, sockaddr("198.18.0.1:53"), 0));
  assert.equal(detours.size, 65536);
});

Deno.test("Ways forgets a session's detours with it", () => {
  const stage = new Stage(makeAnswer("192.168.5.10:53"));
  stage.heed("8.8.8.8:53", makeAnswer("192.168.5.10:53"), true);
  stage.ways.closing(stage.parent);
  stage.table.close(stage.parent, CLOSED);
  const next = new Stage(makeAnswer("192.168.5.10:53"));
  assert.deepEqual(next.restored(next.parent, "192.168.5.10:53"), sockaddr("192.168.5.10:53"));
  assert.deepEqual(stage.restored(stage.parent, "192.168.5.10:53"), sockaddr("192.168.5.10:53"));
});
