/** Talks with a proxy that says anything: each goes the same way however it is cut. */
import assert from "node:assert/strict";
import type { Greeting } from "../../../../../src/dataplane/upstream/greetings/greeting.ts";
import { HttpConnect } from "../../../../../src/dataplane/upstream/greetings/http_connect.ts";
import { CONNECT, Socks5Greeting } from "../../../../../src/dataplane/upstream/greetings/socks5.ts";
import { readSocksHeader } from "../../../../../src/dataplane/upstream/greetings/socks5_udp.ts";
import { octets, sockaddr, talk, target } from "./talk.ts";

/** TPROXY_FUZZ_SECONDS: for how long; default a moment. */
const SECONDS = Number(Deno.env.get("TPROXY_FUZZ_SECONDS") ?? 0.5);
const FLOW = target("[2001:db8::7]:443", { name: "www.example.com" });
const credentials = { username: octets('"user"'), password: octets('"pass"') };
const TALKS: readonly (readonly [Greeting, readonly Uint8Array[]])[] = [
  [new Socks5Greeting({ credentials, sends: "name", command: CONNECT }), [
    octets("05 02 01 00 05 00 00 01 00000000 0000"),
    octets("05 00 05 00 00 03 05 6c6f63616c 0001", '"banner"'),
    octets("05 00 05 05 00 04 00000000000000000000000000000000 0000"),
  ]],
  [new HttpConnect({ credentials, sends: "name" }), [
    octets('"HTTP/1.1 200 OK"', "0d0a", '"A: b"', "0d0a0d0a", '"banner"'),
    octets('"HTTP/1.1 100 C"', "0d0a0d0a", '"HTTP/1.0 200"', "0d0a0d0a"),
    octets('"HTTP/1.1 403 no"', "0d0a0d0a"),
  ]],
];

function below(most: number): number {
  return Math.floor(Math.random() * most);
}

/** Changes, drops, repeats or adds bytes. */
function mutate(bytes: Uint8Array): Uint8Array {
  const list = [...bytes];
  for (let i = below(4); i > 0; i--) {
    const at = below(list.length + 1);
    const kind = below(4);
    if (kind === 0) list[Math.min(at, list.length - 1)] = below(256);
    else if (kind === 1) list.splice(at, below(4));
    else if (kind === 2) list.splice(at, 0, below(256));
    else list.push(...list.slice(at));
  }
  return Uint8Array.from(list);
}

Deno.test("Whatever a proxy says, a talk goes the same way however it is cut, and ends", () => {
  const end = performance.now() + SECONDS * 1000;
  let talks = 0;
  for (; talks < 2000 || performance.now() < end; talks++) {
    const [greeting, answers] = TALKS[talks % TALKS.length];
    const answer = mutate(answers[below(answers.length)]);
    const whole = talk(greeting, FLOW, answer);
    const borders = Array.from({ length: below(6) }, () => below(answer.length + 1)).sort((a, b) => a - b);
    assert.deepEqual(talk(greeting, FLOW, answer, borders), whole, `${answer} cut at ${borders}`);
    assert.equal(whole.error < 0, whole.blame !== 0);
    assert.ok(!(whole.done && whole.error < 0));
    const datagram = answer.slice(0, below(answer.length + 1));
    const data = readSocksHeader(datagram, datagram.length, sockaddr("0.0.0.0:0"));
    assert.ok(data === -1 || (data >= 10 && data <= datagram.length));
  }
});
