import assert from "node:assert/strict";
import { unixAddress } from "../../../../ffi/sockets/unix.ts";

Deno.test("unixAddress() is struct sockaddr_un: a path with its final 0, an abstract name with a leading one", () => {
  assert.deepEqual([...unixAddress("/a")!], [1, 0, 0x2f, 0x61, 0]);
  assert.deepEqual([...unixAddress("@ab")!], [1, 0, 0, 0x61, 0x62]);
});

Deno.test("unixAddress() refuses what does not fit into sun_path", () => {
  assert.equal(unixAddress("/" + "x".repeat(106))!.length, 110);
  assert.equal(unixAddress("/" + "x".repeat(107)), undefined);
  assert.equal(unixAddress("@" + "x".repeat(107))!.length, 110);
  assert.equal(unixAddress("@" + "x".repeat(108)), undefined);
  assert.equal(unixAddress(""), undefined);
  assert.equal(unixAddress("/a\0b"), undefined);
});
