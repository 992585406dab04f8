/**
 * Answers of upstream proxies: SOCKS5, HTTP CONNECT, and datagrams of a SOCKS5 relay.
 * @module
 */
import assert from "node:assert/strict";
import type { Greeting } from "../../../src/dataplane/upstream/greetings/greeting.ts";
import { HttpConnect } from "../../../src/dataplane/upstream/greetings/http_connect.ts";
import { CONNECT, Socks5Greeting, UDP_ASSOCIATE } from "../../../src/dataplane/upstream/greetings/socks5.ts";
import { readSocksHeader } from "../../../src/dataplane/upstream/greetings/socks5_udp.ts";
import { makeSockaddr } from "../../../ffi/sockets/sockaddr.ts";
import { octets, talk, target } from "../../unit/dataplane/upstream/greetings/talk.ts";
import type { Parser } from "../parser.ts";
import { bordersOf } from "./support/parts.ts";

const FLOW = target("[2001:db8::7]:443", { name: "www.example.com" });
const credentials = { username: octets('"user"'), password: octets('"pass"') };
const LONGEST_REFUSAL = 200;

const SOCKS_ANSWERS = [
  octets("05 02 01 00 05 00 00 01 00000000 0000"),
  octets("05 00 05 00 00 03 05 6c6f63616c 0001", '"banner"'),
  octets("05 00 05 05 00 04 00000000000000000000000000000000 0000"),
  octets("05 00 05 00 00 01 c0000201 1f90"),
  octets("05 ff"),
];
const HTTP_ANSWERS = [
  octets('"HTTP/1.1 200 OK"', "0d0a", '"A: b"', "0d0a0d0a", '"banner"'),
  octets('"HTTP/1.1 100 C"', "0d0a0d0a", '"HTTP/1.0 200"', "0d0a0d0a"),
  octets('"HTTP/1.1 403 no"', "0d0a", '"Content-Length: 5"', "0d0a0d0a", '"hello"'),
  octets('"HTTP/1.1 407 Proxy Authentication Required"', "0d0a", '"Proxy-Authenticate: Basic"', "0d0a0d0a"),
];

/** A talk with a proxy that says anything goes the same way however it is cut, and ends. */
function talker(name: string, greeting: Greeting, samples: Uint8Array[], words: string[]): Parser {
  return {
    name,
    samples: () => samples,
    words,
    read(input) {
      const whole = talk(greeting, FLOW, input);
      const borders = bordersOf(input);
      assert.deepEqual(talk(greeting, FLOW, input, borders), whole, `cut at ${borders}`);
      assert.equal(whole.error < 0, whole.blame !== 0);
      assert.ok(!(whole.done && whole.error < 0));
      assert.ok(whole.refusal.length <= LONGEST_REFUSAL, "the refusal is long");
      assert.doesNotMatch(whole.refusal, /\p{Cc}/u, "the refusal would disturb a terminal");
      return `${whole.error} ${whole.done} ${whole.blame} ${whole.said.length} ${whole.refusal.slice(0, 20)}`;
    },
  };
}

const http = new HttpConnect({ credentials, sends: "name" });
const socks = new Socks5Greeting({ credentials, sends: "name", command: CONNECT });
const relay = new Socks5Greeting({ credentials, sends: "address", command: UDP_ASSOCIATE });

/** Talks with proxies. */
export const talks: readonly Parser[] = [
  talker("http-connect", http, HTTP_ANSWERS, [
    "HTTP/1.1 200 OK\r\n",
    "\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "Transfer-Encoding: chunked\r\n",
    "\n",
    " ",
    "\x1b[2J",
  ]),
  talker("socks5", socks, SOCKS_ANSWERS, ["\x05\0", "\x05\x02", "\x01\0", "\x05\0\0\x03"]),
  talker("socks5-associate", relay, SOCKS_ANSWERS, ["\x05\0", "\x05\x02", "\x01\0", "\x05\0\0\x01"]),
];

/** Datagrams of a relay. */
export const datagram: Parser = {
  name: "socks5-datagram",
  samples: () => [
    octets("0000 00 01 c0000201 0035", '"answer"'),
    octets("0000 00 04 20010db8000000000000000000000007 0035", '"answer"'),
    octets("0000 00 03 05 6c6f63616c 0035", '"answer"'),
  ],
  read(input) {
    const results = [0, 0xff].map((filler) => {
      const memory = new Uint8Array(input.length + 64).fill(filler);
      memory.set(input);
      const source = makeSockaddr();
      return [readSocksHeader(memory, input.length, source), source.join()];
    });
    assert.deepEqual(results[0], results[1], "the reader has read past the end");
    const [data] = results[0];
    assert.ok(data === -1 || (Number(data) >= 10 && Number(data) <= input.length));
    return `${data}`;
  },
};
