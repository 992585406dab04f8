import assert from "node:assert/strict";
import { bytesOf } from "../recordings.ts";
import { assertEveryBorder, resultOf } from "../stream.ts";

/** The name in a head whose lines end in CR LF, cut anywhere. */
function nameIn(...lines: readonly string[]): string | null | number {
  const stream = bytesOf([...lines, "", ""].join("\r\n"));
  assertEveryBorder(stream);
  return resultOf(stream);
}

function nameWith(host: string): string | null | number {
  return nameIn("GET / HTTP/1.1", "Accept: */*", `Host:${host}`, "Cookie: a=b");
}

Deno.test("the host of the field Host is the name", () => {
  assert.equal(nameWith(" a.example"), "a.example");
  assert.equal(nameWith("A.Example.:8080"), "a.example");
  assert.equal(nameWith("\t a.example \t"), "a.example");
  assert.equal(nameWith(" a.example:"), "a.example");
  assert.equal(nameIn("GET / HTTP/1.0", "hOsT: a.example"), "a.example");
  assert.equal(nameIn("OPTIONS * HTTP/1.1", "Host: a.example"), "a.example");
  assert.equal(nameIn("M-SEARCH * HTTP/1.1", "Host: a.example"), "a.example");
});

Deno.test("addresses and what is no name are none", () => {
  const none = ["", " ", " 192.0.2.1", " 192.0.2.1:80", " [2001:db8::1]", " [2001:db8::1]:80", " ::1"];
  for (const host of [...none, " a.example, b.example", " a.example:http", " user@a.example", " a b"]) {
    assert.equal(nameWith(host), null, host);
  }
  assert.equal(nameIn("GET / HTTP/1.1", "Accept: */*"), null, "no host");
});

Deno.test("an absolute target comes before Host", () => {
  const name = (target: string) => nameIn(`GET ${target} HTTP/1.1`, "Host: b.example", "Host: c.example");
  assert.equal(name("http://a.example/"), "a.example");
  assert.equal(name("HTTPS://A.example:8443?q=http://d.example/"), "a.example");
  assert.equal(name("http://user:word@a.example#f"), "a.example");
  assert.equal(name("http://192.0.2.1/"), null);
  assert.equal(name("http:///path"), null);
  assert.equal(name("a.example/"), null);
  assert.equal(nameIn("CONNECT a.example:443 HTTP/1.1", "Host: b.example"), "a.example");
  assert.equal(nameIn("CONNECT 192.0.2.1:443 HTTP/1.1", "Host: b.example"), null);
});

Deno.test("two hosts that differ are none, two that do not are one", () => {
  assert.equal(nameIn("GET / HTTP/1.1", "Host: a.example", "Host: b.example"), null);
  assert.equal(nameIn("GET / HTTP/1.1", "Host: a.example", "Host: a.example.com"), null);
  assert.equal(nameIn("GET / HTTP/1.1", "Host: a.example", "Host: 192.0.2.1"), null);
  assert.equal(nameIn("GET / HTTP/1.1", "Host: 192.0.2.1", "Host: a.example"), null);
  assert.equal(nameIn("GET / HTTP/1.1", "Host: a.example", "Host: A.EXAMPLE:80"), "a.example");
});

Deno.test("no name comes of a head that has not ended, nor of a body", () => {
  const head = "GET / HTTP/1.1\r\nHost: a.example\r\n";
  assert.equal(resultOf(bytesOf(head)), head.length + 1);
  assert.equal(resultOf(bytesOf("POST / HTTP/1.1\r\nA: b\r\n\r\nHost: a.example\r\n\r\n")), null);
  assert.equal(resultOf(bytesOf(`${head}\r\nHost: b.example\r\n\r\n`)), "a.example");
});

Deno.test("lines may end in LF alone", () => {
  assert.equal(resultOf(bytesOf("GET / HTTP/1.1\nHost: a.example\n\n")), "a.example");
});

Deno.test("heads that servers take in different ways have no name", () => {
  const request = "GET / HTTP/1.1";
  assert.equal(nameIn(request, "Host: a.example", " .com"), null, "a host that goes on");
  assert.equal(nameIn(request, " Host: a.example"), null, "a space before the first field");
  assert.equal(nameIn(request, "Host : a.example"), null, "a space before the colon");
  assert.equal(nameIn(request, "Host: a.example", "nonsense"), null, "a line without a colon");
  assert.equal(nameIn(request, ": a", "Host: a.example"), null, "a field without a name");
  assert.equal(nameIn(request, "A: b\rHost: c.example", "Host: a.example"), null, "CR within a line");
  assert.equal(nameIn(request, "A: b\0", "Host: a.example"), null, "NUL");
  assert.equal(nameIn(request, "A: b", "\tc", "Host: a.example"), "a.example", "another field may go on");
});

Deno.test("request lines of something else have no name", () => {
  for (
    const line of [
      ...["PRI * HTTP/2.0", "GET /", "GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET /a b HTTP/1.1"],
      ...["OPTIONS rtsp://a.example/ RTSP/1.0", "INVITE sip:a@b.example SIP/2.0", "GET HTTP/1.1"],
      ...["GET / http/1.1", "GET / HTTP/1.", "GET / HTTP/1.x", "NICK me", "GET * x HTTP/1.1"],
      ...["OPTIONS *x HTTP/1.1"],
    ]
  ) assert.equal(nameIn(line, "Host: a.example"), null, line);
});

Deno.test("a stream of another protocol is told by its first bytes", () => {
  const cases: [string, number][] = [
    ["get / HTTP/1.1", 1],
    ["\r\nGET / HTTP/1.1", 1],
    ["SSH-2.0-OpenSSH_9.2", 6],
    ["\x13BitTorrent protocol", 1],
    ["\x80\x2e\x01\x03\x01", 1],
    ["Gopher", 2],
    [`${"A".repeat(40)}`, 33],
  ];
  for (const [text, at] of cases) {
    assert.equal(resultOf(bytesOf(text), at), null, text);
    assert.notEqual(resultOf(bytesOf(text), at - 1), null, text);
  }
});

Deno.test("a head above 8 KiB has no name", () => {
  const head = (length: number) => {
    const [start, end] = ["GET / HTTP/1.1\r\nHost: a.example\r\nA: ", "\r\n\r\n"];
    return bytesOf(start + "a".repeat(length - start.length - end.length) + end);
  };
  assert.equal(resultOf(head(8192)), "a.example");
  assert.equal(resultOf(head(8193)), null);
  assert.equal(resultOf(head(8193), 8191), 8192);
  assert.equal(resultOf(head(20000), 8192), null);
});
