import assert from "node:assert/strict";
import { chunk, streamHead, wholeAnswer } from "../../../../../src/daemon/control/http/answer.ts";
import { ResponseReader } from "../../../../../src/daemon/control/http/response.ts";
import { joinBytes } from "../../../../../src/net/bytes.ts";

const JSON_HEAD = { status: 200, type: "application/json" };

function read(
  bytes: Uint8Array,
  size: number,
): { status: number; text: string; isWhole: boolean } | undefined {
  const reader = new ResponseReader();
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const part = reader.add(bytes.subarray(at, at + size));
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const { status, isWhole } = reader;
  return { status, isWhole, text: new TextDecoder().decode(joinBytes(parts)) };
}

Deno.test("answers are read as they were written, with a length or in chunks, however they are cut", () => {
  const long = "é".repeat(5000);
  const chunked = joinBytes([streamHead(JSON_HEAD), chunk("a"), chunk(long), chunk("")]);
  for (const size of [1, 2, 7, 4096, 100_000]) {
    assert.deepEqual(read(wholeAnswer({ ...JSON_HEAD, status: 404 }, "né"), size), {
      status: 404,
      text: "né",
      isWhole: true,
    });
    assert.deepEqual(read(chunked, size), { status: 200, text: `a${long}`, isWhole: true });
    assert.equal(read(chunked.subarray(0, -5), size)?.isWhole, false, "it ends in its midst");
  }
});

Deno.test("what is no answer of ours is none", () => {
  for (
    const text of [
      "SSH-2.0-x\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyzxyzxyzxyz",
      "x".repeat(9000),
    ]
  ) assert.equal(read(new TextEncoder().encode(text), 5000), undefined, text.slice(0, 40));
});
