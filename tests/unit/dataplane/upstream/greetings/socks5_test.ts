/** SOCKS5: messages of RFC 1928 and RFC 1929, byte for byte; answers cut at every byte. */
import assert from "node:assert/strict";
import { EACCES, ECONNREFUSED, EHOSTUNREACH, ENETUNREACH } from "../../../../../ffi/consts.ts";
import {
  CONFIGURATION,
  NOBODY,
  POLICY,
  TARGET,
  UPSTREAM,
} from "../../../../../src/dataplane/upstream/greetings/greeting.ts";
import {
  CONNECT,
  Socks5Greeting,
  type Socks5Options,
  UDP_ASSOCIATE,
} from "../../../../../src/dataplane/upstream/greetings/socks5.ts";
import { octets, sockaddr, talk, talkAtEachBorder, target, text } from "./talk.ts";

const PLAIN: Socks5Options = { credentials: null, sends: "address", command: CONNECT };
const CREDENTIALS = { username: octets('"user"'), password: octets('"sesame"') };
const FLOW = target("198.51.100.7:443", { name: "www.example.com" });
const BOUND = "05 00 00 01 00000000 0000";

Deno.test("SOCKS5 asks for an IPv4 address, and leaves what comes behind the reply", () => {
  const course = talkAtEachBorder(new Socks5Greeting(PLAIN), FLOW, octets("05 00", BOUND, '"SSH-2.0"'));
  assert.deepEqual(course.said, [octets("05 01 00"), octets("05 01 00 01 c6336407 01bb")]);
  assert.deepEqual([course.done, course.error, course.blame], [true, 0, NOBODY]);
  assert.equal(text(course.rest), "SSH-2.0");
});

Deno.test("SOCKS5 asks for an IPv6 address, and reads replies with IPv6 addresses and names", () => {
  const flow = target("[2001:db8::7]:80");
  const request = octets("05 01 00 04 20010db8000000000000000000000007 0050");
  const addresses = ["04 20010db8000000000000000000000001 1f90", "03 05 6c6f63616c 0001", "03 00 0001"];
  for (const address of addresses) {
    const greeting = new Socks5Greeting(PLAIN);
    const course = talkAtEachBorder(greeting, flow, octets("05 00", "05 00 00", address, '"x"'));
    assert.deepEqual(course.said[1], request);
    assert.deepEqual([course.done, text(course.rest)], [true, "x"]);
    const bound = address.startsWith("04") ? sockaddr("[2001:db8::1]:8080") : new Uint8Array(32);
    assert.deepEqual(greeting.bound, bound);
  }
});

Deno.test("SOCKS5 with credentials offers both methods, and takes either version in the answer", () => {
  for (const version of ["01", "05"]) {
    const greeting = new Socks5Greeting({ ...PLAIN, credentials: CREDENTIALS });
    const course = talkAtEachBorder(greeting, FLOW, octets("05 02", `${version} 00`, BOUND));
    assert.deepEqual(course.said.slice(0, 2), [
      octets("05 02 02 00"),
      octets("01 04", '"user"', "06", '"sesame"'),
    ]);
    assert.ok(course.done);
  }
  const open = talk(new Socks5Greeting({ ...PLAIN, credentials: CREDENTIALS }), FLOW, octets("05 00", BOUND));
  assert.ok(open.done && open.said.length === 2, "a proxy that wants no credentials is given none");
});

Deno.test("SOCKS5 carries user names and passwords of 255 bytes", () => {
  const long = { username: new Uint8Array(255).fill(0x75), password: new Uint8Array(255).fill(0x70) };
  const greeting = new Socks5Greeting({ ...PLAIN, credentials: long });
  const { said, done } = talk(greeting, FLOW, octets("05 02", "01 00", BOUND));
  assert.ok(done && said[1].length === 513 && said[1][1] === 255 && said[1][257] === 255);
});

Deno.test("SOCKS5 with send: name asks for the name, and for the address where that is none", () => {
  const greeting = new Socks5Greeting({ ...PLAIN, sends: "name" });
  const request = (name: string | null) =>
    talk(greeting, target("198.51.100.7:443", { name }), octets("05 00", BOUND)).said[1];
  assert.deepEqual(request("www.example.com"), octets("05 01 00 03 0f", '"www.example.com"', "01bb"));
  const longest = `${"a.".repeat(126)}a`;
  assert.deepEqual(request(longest), octets("05 01 00 03 fd", `"${longest}"`, "01bb"));
  const byAddress = octets("05 01 00 01 c6336407 01bb");
  const others = ["", ".", "a..b", "198.51.100.7", "0x7f.1", "2001:db8::1", "a b", "münchen.example", "a\0b"];
  for (const name of [null, ...others, `${longest}a`, `${"a".repeat(64)}.example`]) {
    assert.deepEqual(request(name), byAddress, `${name}`);
  }
});

Deno.test("SOCKS5 says who is to blame, and what the client would have met", () => {
  const replies: [number, number, number][] = [
    [1, UPSTREAM, ECONNREFUSED],
    [2, POLICY, EACCES],
    [3, TARGET, ENETUNREACH],
    [4, TARGET, EHOSTUNREACH],
    [5, TARGET, ECONNREFUSED],
    [6, TARGET, EHOSTUNREACH],
    [7, UPSTREAM, ECONNREFUSED],
    [8, UPSTREAM, ECONNREFUSED],
    [9, UPSTREAM, ECONNREFUSED],
  ];
  for (const [code, blame, errno] of replies) {
    const answers = octets("05 00", `05 0${code} 00 01 00000000 0000`);
    const course = talkAtEachBorder(new Socks5Greeting(PLAIN), FLOW, answers);
    assert.deepEqual([course.done, course.error, course.blame], [false, -errno, blame], `code ${code}`);
    assert.match(course.refusal, new RegExp(`^reply ${code}, `));
  }
});

Deno.test("SOCKS5 blames the configuration for credentials, and the proxy for what is no SOCKS5", () => {
  const cases: [string[], boolean, number, RegExp][] = [
    [["05 ff"], false, CONFIGURATION, /asks for credentials/],
    [["05 ff"], true, CONFIGURATION, /takes no user name/],
    [["05 02", "01 01"], true, CONFIGURATION, /does not know/],
    [["05 02"], false, UPSTREAM, /method 2/],
    [["05 01"], true, UPSTREAM, /method 1/],
    [["04 5a"], false, UPSTREAM, /version is 4/],
    [['"HTTP/1.1 400"'], false, UPSTREAM, /version is 72/],
    [["05 02", "02 00"], true, UPSTREAM, /version is 2/],
    [["05 00", "00"], false, UPSTREAM, /version is 0/],
    [["05 00", "05 00 00 02 0000"], false, UPSTREAM, /unknown type/],
  ];
  for (const [answers, known, blame, words] of cases) {
    const greeting = new Socks5Greeting({ ...PLAIN, credentials: known ? CREDENTIALS : null });
    const course = talkAtEachBorder(greeting, FLOW, octets(...answers));
    assert.deepEqual([course.error, course.blame], [-ECONNREFUSED, blame], `${answers}`);
    assert.match(course.refusal, words);
    assert.ok(!course.refusal.includes("sesame"), "no secret is told");
  }
});

Deno.test("SOCKS5 asks for UDP with zeros, and keeps the address of the reply", () => {
  for (
    const [zeros, request] of [
      ["0.0.0.0:0", "05 03 00 01 00000000 0000"],
      ["[::]:0", "05 03 00 04 00000000000000000000000000000000 0000"],
    ]
  ) {
    const greeting = new Socks5Greeting({ ...PLAIN, command: UDP_ASSOCIATE });
    const course = talkAtEachBorder(greeting, target(zeros), octets("05 00", "05 00 00 01 c0a80105 1234"));
    assert.deepEqual(course.said[1], octets(request));
    assert.deepEqual(greeting.bound, sockaddr("192.168.1.5:4660"));
  }
});
