/** Tells who loses a session when the house is full: with made-up times, and in a bench of real sessions. */
import assert from "node:assert/strict";
import { ECONNRESET } from "../../../../ffi/consts.ts";
import { closeFd } from "../../../../ffi/sockets/socket.ts";
import { SOCKADDR_SIZE } from "../../../../ffi/layout.ts";
import { TcpShares } from "../../../../src/dataplane/tcp/shares.ts";
import { descriptorTest } from "../../ffi/support/descriptors.ts";
import { address, addressOf, dial, listen, readText, tcpPair } from "../../ffi/support/tcp.ts";
import { SessionBench } from "../support/session_bench.ts";

/** Addresses as words. */
function words(ip: string, port = 1): Int32Array {
  const copy = new Int32Array(SOCKADDR_SIZE / 4);
  new Uint8Array(copy.buffer).set(address(ip, port));
  return copy;
}

/** Shares with sessions whose times are given. */
class Club {
  readonly times: { startedTick: number; activeTick: number }[] = [];
  readonly shares = new TcpShares((slot) => this.times[slot]);
  readonly #who: Int32Array[] = [];
  readonly #waits: boolean[] = [];

  /** Adds a session of a client at a tick. Its slot. */
  enter(ip: string, tick: number, answered = true): number {
    const slot = this.times.length;
    this.times.push({ startedTick: tick, activeTick: tick });
    this.#who.push(words(ip, slot + 1));
    this.#waits.push(!answered);
    this.shares.enter(slot, this.#who[slot], 0);
    if (answered) this.shares.answered(slot);
    return slot;
  }

  leave(slot: number): void {
    this.shares.leave(slot, this.#who[slot], 0, this.#waits[slot]);
  }

  victimFor(ip: string, tick: number): number {
    return this.shares.victimFor(words(ip), 0, tick);
  }
}

Deno.test("TcpShares: who has most loses his oldest dial first, then the connection that is most silent", () => {
  const club = new Club();
  const silent = club.enter("10.0.0.1", 5);
  const busy = club.enter("10.0.0.1", 4);
  const dials = [club.enter("10.0.0.1", 90, false), club.enter("10.0.0.1", 91, false)];
  club.enter("10.0.0.2", 1);
  club.times[busy].activeTick = 99;
  for (const victim of [...dials, silent]) {
    assert.equal(club.victimFor("10.0.0.3", 100), victim);
    club.leave(victim);
  }
  // With one more, the newcomer would have as many as he has left.
  assert.equal(club.victimFor("10.0.0.3", 100), -1);
});

Deno.test("TcpShares: who has as many as anybody makes room for himself, but only with what is old", () => {
  const club = new Club();
  const old = club.enter("10.0.0.1", 80);
  const young = club.enter("10.0.0.1", 85, false);
  club.enter("10.0.0.2", 1);
  assert.equal(club.victimFor("10.0.0.1", 89), -1);
  assert.equal(club.victimFor("10.0.0.1", 90), old);
  assert.equal(club.victimFor("10.0.0.1", 95), young);
});

Deno.test("TcpShares counts a client's addresses without ports, and forgets who has left", () => {
  const club = new Club();
  const slots = Array.from({ length: 300 }, (_, i) => club.enter("fd00::1", i));
  const other = club.enter("10.0.0.1", 7);
  assert.equal(club.victimFor("fd00::2", 400), slots[0]);
  for (const slot of slots) club.leave(slot);
  assert.equal(club.victimFor("fd00::2", 400), -1);
  club.leave(other);
  assert.equal(club.shares.victim(), -1);
});

Deno.test("TcpShares finds who is heaviest after the one who was has left", () => {
  const club = new Club();
  const first = Array.from({ length: 9 }, () => club.enter("10.0.0.1", 1));
  const second = Array.from({ length: 5 }, () => club.enter("10.0.0.2", 1));
  for (let i = 0; i < 200; i++) club.enter(`10.1.0.${i + 1}`, 1);
  for (const slot of first) club.leave(slot);
  const victims = Array.from({ length: 8 }, () => club.victimFor("10.0.0.3", 1));
  assert.ok(second.includes(victims.at(-1)!), `${victims}`);
});

descriptorTest("TcpSessions.admit(): dead dials of one client make room for another", () => {
  using bench = new SessionBench({ maxConnections: 3 });
  const listener = listen({ backlog: 0 });
  const full = [dial(addressOf(listener))]; // nobody else is answered
  const peers: number[] = [];
  const enter = (ip: string): boolean => {
    if (!bench.sessions.admit(words(ip), 0)) return false;
    bench.shared.addLive(-1); // open() counts as well
    const [peer, client] = tcpPair();
    peers.push(peer);
    bench.open(client, dial(addressOf(listener)), address(ip, peer));
    return true;
  };
  for (let i = 0; i < 3; i++) assert.ok(enter("10.0.0.1"));
  assert.ok(!enter("10.0.0.1"), "his own are young");
  assert.ok(enter("10.0.0.2"));
  assert.equal(bench.shared.live, 3);
  assert.equal(bench.counts().evicted, 1);
  assert.equal(readText(peers[0]).end, -ECONNRESET);
  assert.ok(bench.sessions.makeRoom(), "for a descriptor");
  assert.ok(!bench.sessions.makeRoom(), "one each");
  [listener, ...full, ...peers].forEach(closeFd);
});
