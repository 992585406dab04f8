/**
 * SYNs that are held: found by their addresses, given up fairly, and gone when their clients are.
 */
import assert from "node:assert/strict";
import { AF_INET } from "../../../../ffi/consts.ts";
import { HeldSyns, MOST_HELD_SYNS } from "../../../../src/dataplane/asking/held_syns.ts";
import { Injector } from "../../../../src/dataplane/asking/injector.ts";
import { goneAfter } from "../../../../src/dataplane/asking/patience.ts";
import { Question } from "../../../../src/dataplane/asking/question.ts";

/** A SYN of 40 bytes from a port of a client. */
function syn(client: number, port: number): Question {
  const question = new Question();
  question.protocol = 6;
  question.bytes = new Uint8Array(40).fill(port & 0xff);
  question.length = 40;
  question.header = 20;
  question.addresses[0] = AF_INET | (port << 16);
  question.addresses[1] = client;
  question.addresses[8] = AF_INET | (443 << 16);
  question.addresses[9] = 0x0900c0;
  return question;
}

const empty = () => new HeldSyns(new Injector({ raw: { ipv4: -1, ipv6: -1 }, refusals: -1 }));

Deno.test("HeldSyns.find() finds a SYN by both its addresses, until it is released", () => {
  const syns = empty();
  const places = Array.from({ length: 500 }, (_, port) => syns.hold(syn(1, port), port, 0));
  assert.equal(new Set(places).size, 500);
  for (let port = 0; port < 500; port++) assert.equal(syns.slotOf(syns.find(syn(1, port).addresses)), port);
  assert.equal(syns.find(syn(2, 7).addresses), -1);
  for (let port = 0; port < 500; port += 2) syns.release(places[port]);
  for (let port = 0; port < 500; port++) {
    assert.equal(syns.find(syn(1, port).addresses) >= 0, port % 2 === 1, `${port}`);
  }
  assert.equal(syns.size, 250);
});

Deno.test("HeldSyns.hold() holds so many and no more; what is released makes room", () => {
  const syns = empty();
  for (let i = 0; i < MOST_HELD_SYNS; i++) assert.ok(syns.hold(syn(i, 1), i, 0) >= 0);
  assert.equal(syns.hold(syn(-1, 1), 0, 0), -1);
  syns.release(syns.victim());
  assert.ok(syns.hold(syn(-1, 1), 0, 0) >= 0);
});

Deno.test("HeldSyns.victim() is the oldest of the client that has most, or the oldest of all", () => {
  const syns = empty();
  const slotOfVictim = () => syns.slotOf(syns.victim());
  syns.hold(syn(1, 1), 100, 0);
  syns.hold(syn(2, 1), 200, 0);
  assert.equal(slotOfVictim(), 100, "nobody has more than others");
  for (let port = 2; port < 6; port++) syns.hold(syn(2, port), 200 + port, 0);
  const victims: number[] = [];
  while (syns.size > 0) {
    victims.push(slotOfVictim());
    syns.release(syns.victim());
  }
  assert.deepEqual(victims, [200, 202, 203, 204, 100, 205]);
  assert.equal(syns.victim(), -1);
});

Deno.test("HeldSyns.goneTick() gives a client the time of its next SYN, and some more", () => {
  const syns = empty();
  const question = syn(1, 1);
  const place = syns.hold(question, 0, 100);
  // RFC 6298 and older systems: after one second or three, then twice as long each time.
  assert.ok(syns.goneTick(place) - 100 > 30);
  let tick = 100;
  for (const gap of [10, 20, 40, 80, 160]) {
    assert.ok(tick + gap < syns.goneTick(place), `a SYN after ${gap / 10} s comes in time`);
    tick += gap;
    syns.repeat(place, question, tick);
  }
  assert.ok(syns.goneTick(place) - tick < 600, "nor is it waited for for ever");
  assert.ok(goneAfter(0) >= 40 && goneAfter(0) <= 60);
});
