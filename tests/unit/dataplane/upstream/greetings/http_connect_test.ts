/** HTTP's CONNECT: requests byte for byte, answers of real proxies and stranger ones, cut at every byte. */
import assert from "node:assert/strict";
import { EACCES, ECONNREFUSED, EHOSTUNREACH } from "../../../../../ffi/consts.ts";
import {
  CONFIGURATION,
  MOST_ANSWER,
  POLICY,
  TARGET,
  UPSTREAM,
} from "../../../../../src/dataplane/upstream/greetings/greeting.ts";
import { HttpConnect } from "../../../../../src/dataplane/upstream/greetings/http_connect.ts";
import { octets, talk, talkAtEachBorder, target, text } from "./talk.ts";

const PLAIN = { credentials: null, sends: "address" } as const;
const FLOW = target("198.51.100.7:443", { name: "www.example.com" });
const OK = "HTTP/1.1 200 Connection established\r\n\r\n";

function bytes(answer: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(answer);
}

Deno.test("CONNECT names the address, IPv6 in brackets, or the name", () => {
  const request = (options: ConstructorParameters<typeof HttpConnect>[0], flow = FLOW) =>
    text(talk(new HttpConnect(options), flow, bytes(OK)).said[0]);
  assert.equal(
    request(PLAIN),
    "CONNECT 198.51.100.7:443 HTTP/1.1\r\nHost: 198.51.100.7:443\r\n\r\n",
  );
  assert.match(request(PLAIN, target("[2001:db8::7]:8443")), /^CONNECT \[2001:db8::7\]:8443 HTTP/);
  assert.match(
    request({ ...PLAIN, sends: "name" }),
    /^CONNECT www\.example\.com:443 HTTP\/1\.1\r\nHost: www\.example\.com:443\r\n/,
  );
  assert.match(
    request({ ...PLAIN, sends: "name" }, target("1.2.3.4:1", { name: "a\r\nb" })),
    /^CONNECT 1\.2/,
  );
});

Deno.test("CONNECT sends credentials at once, the longest too", () => {
  // RFC 7617, 2.
  const aladdin = { username: octets('"Aladdin"'), password: octets('"open sesame"') };
  const [said] = talk(new HttpConnect({ ...PLAIN, credentials: aladdin }), FLOW, bytes(OK)).said;
  assert.match(text(said), /\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n$/);
  const long = { username: new Uint8Array(255).fill(0xfc), password: new Uint8Array(255).fill(0xfc) };
  const name = `${"a.".repeat(126)}a`;
  const greeting = new HttpConnect({ credentials: long, sends: "name" });
  const [longest] = talk(greeting, target("198.51.100.7:65535", { name }), bytes(OK)).said;
  const inBase64 = btoa(`${"\xfc".repeat(255)}:${"\xfc".repeat(255)}`);
  assert.ok(text(longest).endsWith(`\r\nProxy-Authorization: Basic ${inBase64}\r\n\r\n`));
});

Deno.test("CONNECT does not wait for the end of answers of 1xx that have none", () => {
  const early = "HTTP/1.1 100 Continue\r\n\r\n";
  assert.ok(talk(new HttpConnect(PLAIN), FLOW, bytes(early.repeat(16) + OK)).done);
  const { error, blame, refusal } = talk(new HttpConnect(PLAIN), FLOW, bytes(early.repeat(17) + OK));
  assert.deepEqual([error, blame, refusal], [-ECONNREFUSED, UPSTREAM, "its answers of 1xx have no end"]);
});

Deno.test("CONNECT takes any 2xx, whatever it says of a body, and leaves what comes behind the head", () => {
  for (
    const head of [
      OK,
      "HTTP/1.0 200 OK\r\nProxy-agent: tinyproxy/1.11.1\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
      "HTTP/1.1 200\r\n\r\n",
      "HTTP/1.1 200 OK\n\n",
      "HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ]
  ) {
    const course = talkAtEachBorder(new HttpConnect(PLAIN), FLOW, bytes(`${head}SSH-2.0\r\n\r\n`));
    assert.deepEqual([course.done, course.error, text(course.rest)], [true, 0, "SSH-2.0\r\n\r\n"], head);
  }
});

Deno.test("CONNECT says who is to blame, and repeats the status line", () => {
  const cases: [status: string, blame: number, errno: number][] = [
    ["407 Proxy Authentication Required", CONFIGURATION, ECONNREFUSED],
    ["401 Unauthorized", CONFIGURATION, ECONNREFUSED],
    ["403 Access violation", POLICY, EACCES],
    ["404 Not Found", TARGET, EHOSTUNREACH],
    ["502 Bad Gateway", TARGET, ECONNREFUSED],
    ["503 Service Unavailable", TARGET, ECONNREFUSED],
    ["504 Gateway Timeout", TARGET, EHOSTUNREACH],
    ["500 Unable to connect", TARGET, ECONNREFUSED],
    ["500 Internal Server Error", UPSTREAM, ECONNREFUSED],
    ["301 Moved Permanently", UPSTREAM, ECONNREFUSED],
    ["400 Bad Request", UPSTREAM, ECONNREFUSED],
    ["405 Method Not Allowed", UPSTREAM, ECONNREFUSED],
  ];
  for (const [status, blame, errno] of cases) {
    const answer = bytes(`HTTP/1.1 ${status}\r\nServer: x\r\n\r\nbody`);
    const course = talkAtEachBorder(new HttpConnect(PLAIN), FLOW, answer);
    assert.deepEqual([course.done, course.blame, course.error], [false, blame, -errno], status);
    assert.equal(course.refusal, `HTTP/1.1 ${status}`);
  }
});

Deno.test("CONNECT blames a proxy that speaks something else, or never ends its head", () => {
  for (
    const answer of [
      "SSH-2.0-OpenSSH\r\n",
      "HTTP/2 200\r\n\r\n",
      "\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n",
      "\x05\xff",
    ]
  ) {
    const course = talkAtEachBorder(new HttpConnect(PLAIN), FLOW, bytes(answer));
    assert.deepEqual([course.error, course.blame], [-ECONNREFUSED, UPSTREAM], answer);
  }
  const long = bytes(`${OK.slice(0, -2)}A: ${"x".repeat(MOST_ANSWER)}`);
  const course = talk(new HttpConnect(PLAIN), FLOW, long, [MOST_ANSWER - 1, MOST_ANSWER]);
  assert.deepEqual([course.error, course.blame], [-ECONNREFUSED, UPSTREAM]);
  assert.match(course.refusal, /too long/);
  const nearly = bytes(`${OK.slice(0, -2)}A: ${"x".repeat(MOST_ANSWER - OK.length - 5)}\r\n\r\n`);
  assert.equal(nearly.length, MOST_ANSWER);
  assert.ok(talk(new HttpConnect(PLAIN), FLOW, nearly).done);
});

Deno.test("What a proxy says is printable where it is repeated", () => {
  const course = talk(new HttpConnect(PLAIN), FLOW, bytes("HTTP/1.1 403 \x1b[31m\tno\r\n"));
  assert.equal(course.refusal, "HTTP/1.1 403 ?[31m?no");
});
