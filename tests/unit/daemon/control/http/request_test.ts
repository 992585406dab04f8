import assert from "node:assert/strict";
import {
  type HttpRefusal,
  type HttpRequest,
  MOST_BODY,
  MOST_HEAD,
  RequestReader,
} from "../../../../../src/daemon/control/http/request.ts";

/** Reads a text that comes in pieces of this size. */
function read(text: string, size = text.length): HttpRequest | HttpRefusal | undefined {
  const bytes = new TextEncoder().encode(text);
  const reader = new RequestReader();
  for (let at = 0; at < bytes.length; at += size) {
    const found = reader.add(bytes.subarray(at, at + size));
    if (found !== undefined) return found;
  }
  return undefined;
}

const POST = 'POST /v1/x?a=b&c=%20d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"ab"';

Deno.test("RequestReader reads a request however it is cut", () => {
  for (const size of [1, 3, 50, 1000]) {
    const request = read(POST, size) as HttpRequest;
    const { method, path, query, headers, body } = request;
    assert.deepEqual([method, path, [...query]], ["POST", "/v1/x", [["a", "b"], ["c", " d"]]]);
    assert.deepEqual([...headers], [["host", "localhost"], ["content-length", "4"]]);
    assert.equal(new TextDecoder().decode(body), '"ab"');
  }
  assert.equal(read(POST.slice(0, -1)), undefined);
  assert.ok("path" in read("GET / HTTP/1.0\r\n\r\n")!);
});

Deno.test("RequestReader refuses what is no request, and what is too long, before it is all there", () => {
  const header = (...lines: string[]) => `GET / HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
  const cases: readonly [text: string, status: number][] = [
    ["hello\r\n\r\n", 400],
    ["GET http://x/ HTTP/1.1\r\nhost: x\r\n\r\n", 400],
    ["get / HTTP/1.1\r\nhost: x\r\n\r\n", 400],
    ["GET / HTTP/2.0\r\nhost: x\r\n\r\n", 505],
    ["\x16\x03\x01\r\n\r\n", 400],
    [header(), 400],
    [header("host: x", "host: y"), 400],
    [header("host : x"), 400],
    [header("host: x", " folded"), 400],
    [header("host: x", "a: \x01"), 400],
    [header("host: x", "content-length: -1"), 400],
    [header("host: x", "content-length: 1", "content-length: 2"), 400],
    [header("host: x", `content-length: ${MOST_BODY + 1}`), 413],
    [header("host: x", `content-length: ${"9".repeat(400)}`), 413],
    [header("host: x", "transfer-encoding: chunked"), 501],
    [`GET /${"a".repeat(MOST_HEAD)}`, 431],
    [header("host: x", `a: ${"b".repeat(MOST_HEAD)}`), 431],
  ];
  for (const [text, status] of cases) {
    const refusal = read(text, 7) as HttpRefusal;
    assert.equal(refusal?.status, status, text.slice(0, 60));
  }
});

Deno.test("RequestReader takes the longest body, and nothing behind it", () => {
  const body = "x".repeat(MOST_BODY);
  const text = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${MOST_BODY}\r\n\r\n${body}`;
  assert.equal((read(`${text}more`, 9000) as HttpRequest).body.length, MOST_BODY);
});
