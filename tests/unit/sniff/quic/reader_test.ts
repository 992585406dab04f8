import assert from "node:assert/strict";
import { FoundName } from "../../../../src/sniff/found.ts";
import { QuicReader } from "../../../../src/sniff/quic/reader.ts";
import { bytesOf, join, recorded } from "../recordings.ts";
import { entry, extension, hello, serverName } from "../tls/hello.ts";
import { crypto, ID, packet, type PacketType, varint, type Version } from "./client.ts";
import { ordersOf, readFlow } from "./flow.ts";

const HELLO = hello([serverName(entry("a.example")), extension(57, new Uint8Array(20))]);
const VERSIONS: readonly Version[] = [1, 2];

/** The part of a hello as a frame. */
function part(start: number, end?: number): Uint8Array {
  return crypto(start, HELLO.subarray(start, end));
}

Deno.test("a hello is read from two packets, cut anywhere, in either order", () => {
  for (const version of VERSIONS) {
    for (let cut = 1; cut < HELLO.length; cut++) {
      const packets = [part(0, cut), part(cut)].map((frame, number) => packet(frame, { version, number }));
      for (const order of ordersOf(packets)) {
        assert.deepEqual(readFlow(...order), [1, "a.example"], `version ${version}, cut at ${cut}`);
      }
    }
  }
});

Deno.test("a browser's hello is read from two packets, cut anywhere, in either order", () => {
  const whole = recorded("tls-firefox")[0].subarray(5);
  for (let cut = 1; cut < whole.length; cut++) {
    const [first, second] = [whole.subarray(0, cut), whole.subarray(cut)];
    const packets = [packet(crypto(0, first)), packet(crypto(cut, second), { number: 1 })];
    for (const order of ordersOf(packets)) {
      assert.deepEqual(readFlow(...order), [1, "recorded.example"], `cut at ${cut}`);
    }
  }
});

Deno.test("a browser's hello is read from three packets in any order", () => {
  const whole = recorded("tls-chromium")[0].subarray(5);
  for (let first = 1; first < 700; first += 97) {
    for (let second = first + 1; second < first + 1100; second += 211) {
      const borders = [0, first, second, whole.length];
      const packets = [0, 1, 2].map((number) =>
        packet(crypto(borders[number], whole.slice(borders[number], borders[number + 1])), { number })
      );
      for (const order of ordersOf(packets)) {
        assert.deepEqual(readFlow(...order), [1, 1, "recorded.example"], `${borders}`);
      }
    }
  }
});

Deno.test("datagrams that come twice or overlap change nothing", () => {
  const [first, second] = [packet(part(0, 50)), packet(part(30), { number: 1 })];
  assert.deepEqual(readFlow(first, first, second, first), [1, 1, "a.example", "a.example"]);
});

Deno.test("parts that contradict each other have no name, then or later", () => {
  const other = HELLO.slice();
  other[40] ^= 1;
  const flow = [packet(part(0, 50)), packet(crypto(30, other.subarray(30)), { number: 1 }), packet(part(30))];
  assert.deepEqual(readFlow(...flow), [1, null, null]);
});

Deno.test("frames stand in any order among others", () => {
  const ack = join([2], varint(70_000), [0, 2, 0, 1, 1, 1, 1]);
  const ackWithEcn = join([3, 0, 0, 0, 0], [1, 2, 3]);
  const frames = [[1], part(90), [0, 0, 0], ack, part(0, 20), [1], ackWithEcn, part(20, 90)];
  assert.deepEqual(readFlow(packet(join(...frames))), ["a.example"]);
});

Deno.test("frames that no client sends in an Initial end the reading", () => {
  const broken = {
    "CONNECTION_CLOSE": [0x1c, 0, 0, 0],
    "STREAM": [0x08, 0, 1],
    "a CRYPTO frame longer than the packet": [6, 0, 0x7f, 0xff],
    "a CRYPTO frame at 2^62 - 1": [6, ...new Array(8).fill(0xff), 1, 1],
    "a CRYPTO frame beyond 16 KiB": [6, ...varint(16384), 1, 1],
    "an ACK of 2^61 ranges": [2, 0, 0, ...new Array(8).fill(0xff), 0],
    "another handshake message": [6, 0, 1, 2],
    "a hello of 16 MB": [6, 0, 4, 1, 0xff, 0xff, 0xff],
  };
  for (const [title, frame] of Object.entries(broken)) {
    assert.deepEqual(readFlow(packet(Uint8Array.from(frame)), packet(part(0))), [null, null], title);
  }
});

Deno.test("a frame may end at 16 KiB", () => {
  assert.deepEqual(readFlow(packet(crypto(16383, Uint8Array.of(1))), packet(part(0))), [1, "a.example"]);
});

Deno.test("a token, a source id, and any size of packet number are no obstacle", () => {
  for (const numberSize of [1, 2, 3, 4]) {
    const parts = { numberSize, token: new Uint8Array(300), source: new Uint8Array(20), number: 200 };
    assert.deepEqual(readFlow(packet(part(0), parts)), ["a.example"], `${numberSize}`);
  }
});

Deno.test("packet numbers go on where the client is", () => {
  const numbered = (frame: Uint8Array, number: number, numberSize: number) =>
    packet(frame, { number, numberSize });
  const flow = [numbered(part(0, 9), 2 ** 32 - 2, 4), numbered(part(9, 20), 2 ** 32, 1)];
  assert.deepEqual(readFlow(...flow, numbered(part(20), 2 ** 32 - 1, 2)), [1, 1, "a.example"]);
});

Deno.test("packets of one datagram are read all", () => {
  for (const version of VERSIONS) {
    const one = packet(part(0, 60), { version, padded: false });
    const earlyData = packet(bytesOf("early"), { version, type: 1, padded: false });
    const two = packet(part(60), { version, number: 1 });
    assert.deepEqual(readFlow(join(one, earlyData, two)), ["a.example"]);
    assert.deepEqual(readFlow(join(one, two, bytesOf("\x40 rest"))), ["a.example"], "a short header");
    assert.deepEqual(readFlow(join(one, new Uint8Array(1200))), [1], "zeros");
  }
});

Deno.test("later packets may go to another connection id; early data is waited past", () => {
  const later = packet(part(60), { number: 1, destination: bytesOf("chosen by the server") });
  const earlyData = packet(bytesOf("early"), { type: 1 });
  assert.deepEqual(readFlow(packet(part(0, 60)), earlyData, later), [1, 1, "a.example"]);
});

Deno.test("a packet whose tag is wrong is not read, whichever byte was changed", () => {
  const good = packet(part(0));
  for (let at = 0; at < good.length; at++) {
    const bad = good.slice();
    bad[at] ^= 1;
    // The length of the token and of the packet may hide the change; it is proved that no name comes.
    assert.deepEqual(readFlow(bad), [null], `${at}`);
  }
  const changed = packet(part(60), { number: 1 });
  changed[1100] ^= 1;
  assert.deepEqual(readFlow(packet(part(0, 60)), changed), [1, 1]);
});

Deno.test("a first datagram that is no client's Initial has no name", () => {
  const good = packet(part(0));
  const change = (at: number, byte: number) => good.with(at, byte);
  const types: PacketType[] = [1, 2, 3];
  const cases = [
    ...[new Uint8Array(0), good.subarray(0, 1199), change(0, 0x40), change(0, good[0] & 0xbf)],
    ...[change(4, 3), change(5, 7), change(5, 21), new Uint8Array(1200), new Uint8Array(1200).fill(255)],
    ...types.map((type) => packet(part(0), { type })),
    ...types.map((type) => packet(part(0), { type, version: 2 })),
  ];
  cases.forEach((datagram, i) => assert.deepEqual(readFlow(datagram, good), [null, null], `${i}`));
});

Deno.test("a server takes no Initial from a datagram below 1200 bytes", () => {
  assert.deepEqual(readFlow(packet(part(0), { padded: false })), [null]);
});

Deno.test("a packet that goes on behind the end of the datagram is not read", () => {
  const exact = packet(part(0), { token: new Uint8Array(100) });
  const reader = new QuicReader();
  assert.equal(reader.datagram(join(exact, [0]), exact.length, new FoundName()), 0);
  reader.reset();
  const longer = packet(join(part(0), new Uint8Array(1200)));
  assert.equal(reader.datagram(longer, longer.length - 1, new FoundName()), -1);
});

Deno.test("a hello may take 16 datagrams", () => {
  const step = Math.ceil(HELLO.length / 16);
  const flow = Array.from({ length: 16 }, (_, i) => packet(part(i * step, (i + 1) * step), { number: i }));
  assert.equal(readFlow(...flow).at(-1), "a.example");
  assert.equal(readFlow(flow[0], ...flow).at(-1), null, "the 17th is too late");
});

Deno.test("the next flow finds nothing of the last", () => {
  assert.deepEqual(readFlow(packet(part(0, 60))), [1]);
  assert.deepEqual(readFlow(packet(part(60))), [1]);
});

Deno.test("the connection id decides the keys", () => {
  assert.equal(ID.length, 8);
  const wrong = packet(part(0), { destination: bytesOf("12345678") });
  assert.deepEqual(readFlow(wrong), [null]);
});
