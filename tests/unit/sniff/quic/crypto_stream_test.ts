import assert from "node:assert/strict";
import { FoundName } from "../../../../src/sniff/found.ts";
import { CryptoStream } from "../../../../src/sniff/quic/crypto_stream.ts";
import { takeFrames } from "../../../../src/sniff/quic/frames.ts";
import { textOf } from "../recordings.ts";
import { entry, hello, serverName } from "../tls/hello.ts";
import { crypto } from "./client.ts";
import { ordersOf } from "./flow.ts";

const HELLO = hello([serverName(entry("a.example"))], { sessionId: 0 });

Deno.test("a stream is whole after every split into three frames in every order", () => {
  const stream = new CryptoStream();
  const found = new FoundName();
  for (let first = 1; first < HELLO.length - 1; first++) {
    for (let second = first + 1; second < HELLO.length; second++) {
      const frames = [
        crypto(0, HELLO.subarray(0, first)),
        crypto(first, HELLO.subarray(first, second)),
        crypto(second, HELLO.subarray(second)),
      ];
      for (const order of ordersOf(frames)) {
        stream.reset();
        const results = order.map((frame) => {
          found.clear();
          assert.ok(takeFrames(frame, 0, frame.length, stream));
          return stream.read(found);
        });
        assert.deepEqual(results, [1, 1, 0], `${first}, ${second}`);
        assert.equal(textOf(found), "a.example");
      }
    }
  }
});
