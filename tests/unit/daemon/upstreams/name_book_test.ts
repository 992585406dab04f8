/** Addresses of names: how long they are good, and what is kept. */
import assert from "node:assert/strict";
import type { Resolved } from "../../../../src/daemon/upstreams/dns/resolve.ts";
import { NameBook } from "../../../../src/daemon/upstreams/name_book.ts";
import { createLogger } from "../../../../src/log.ts";
import { formatIp, parseIp } from "../../../../src/net/ip.ts";

const FAILURE: Resolved = { failure: "192.0.2.53: ETIMEDOUT" };

function found(ttlSeconds: number, ...addresses: string[]): Resolved {
  return { addresses: addresses.map((text) => parseIp(text)!), ttlSeconds };
}

/** Plays the resolver and the time of one name. */
class Play {
  readonly lines: string[] = [];
  readonly changed: string[] = [];
  answer = FAILURE;
  asked = 0;
  now = 0;
  readonly book = new NameBook({
    log: createLogger({ level: "debug", format: "text", write: (line) => this.lines.push(line) }),
    resolve: () => {
      this.asked++;
      return Promise.resolve(this.answer);
    },
    changed: () => void this.changed.push(this.addresses()),
  });

  constructor() {
    this.book.keep(["proxy.example"]);
  }

  addresses(): string {
    return this.book.addressesOf("proxy.example").map(formatIp).join();
  }

  /** The seconds until it is asked again, which is answered so. */
  async next(answer: Resolved): Promise<number> {
    this.answer = answer;
    const from = this.now;
    const before = this.asked;
    for (; this.asked === before; this.now += 1000) this.book.tick(this.now);
    this.now -= 1000;
    await Promise.resolve();
    await Promise.resolve();
    return (this.now - from) / 1000;
  }
}

Deno.test("An answer is good for its TTL, within 30 s and an hour", async () => {
  const play = new Play();
  await play.next(found(5, "192.0.2.1"));
  assert.equal(await play.next(found(300, "192.0.2.1")), 30);
  assert.equal(await play.next(found(86_400, "192.0.2.1")), 300);
  assert.equal(await play.next(found(1, "192.0.2.1")), 3600);
  assert.deepEqual(play.changed, ["192.0.2.1"], "told once");
});

Deno.test("Addresses that are others are told, those in another order are not", async () => {
  const play = new Play();
  await play.next(found(1, "192.0.2.1", "2001:db8::1"));
  await play.next(found(1, "2001:db8::1", "192.0.2.1"));
  await play.next(found(1, "192.0.2.2"));
  assert.deepEqual(play.changed, ["192.0.2.1,2001:db8::1", "192.0.2.2"]);
});

Deno.test("The last good answer is kept while nobody answers, and the next attempts come later", async () => {
  const play = new Play();
  await play.next(found(60, "192.0.2.1"));
  assert.equal(await play.next(FAILURE), 60);
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) waits.push(await play.next(FAILURE));
  assert.deepEqual(waits, [2, 4, 8, 16, 30, 30]);
  assert.equal(play.addresses(), "192.0.2.1");
  assert.equal(play.lines.filter((line) => line.includes("not resolved")).length, 1, "said once");
  await play.next(found(60, "192.0.2.9"));
  assert.equal(play.addresses(), "192.0.2.9");
  assert.deepEqual(play.changed, ["192.0.2.1", "192.0.2.9"]);
});

Deno.test("A name is asked for once at a time, and one that is forgotten tells nothing", async () => {
  const play = new Play();
  play.answer = found(60, "192.0.2.1");
  for (let i = 0; i < 5; i++) play.book.tick(0);
  assert.equal(play.asked, 1);
  play.book.keep([]);
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(play.changed, []);
});
