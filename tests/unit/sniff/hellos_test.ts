import assert from "node:assert/strict";
import { FoundName, HTTP, NAME, QUIC, TLS } from "../../../src/sniff/found.ts";
import { QuicReader } from "../../../src/sniff/quic/reader.ts";
import { readStream } from "../../../src/sniff/stream.ts";
import { expectedName, recorded, RECORDINGS, recordingsOf, textOf } from "./recordings.ts";
import { assertEveryBorder, resultOf, wakesOf } from "./stream.ts";

const STREAMS = [...recordingsOf("tls"), ...recordingsOf("http")];

Deno.test("there are recordings of all clients", () => {
  const clients = ["tls-openssl", "tls-gnutls", "tls-curl", "tls-node", "tls-deno", "tls-firefox"];
  const others = ["tls-chromium", "quic-firefox", "quic-chromium", "quic-chromium-v2", "quic-deno"];
  for (const name of [...clients, ...others, "quic-ngtcp2", "quic-rfc9001", "quic-rfc9369"]) {
    assert.ok(RECORDINGS.includes(name), name);
  }
});

for (const name of STREAMS) {
  Deno.test(`${name}: the name, wherever the stream is cut`, () => {
    const [stream] = recorded(name);
    assert.equal(resultOf(stream) ?? "", expectedName(name));
    assertEveryBorder(stream);
  });
}

Deno.test("a hello in one record wakes the reader three times at most", () => {
  for (const name of recordingsOf("tls").filter((name) => !name.endsWith("-records"))) {
    const [stream] = recorded(name);
    assert.deepEqual(wakesOf(stream), [1, 9, stream.length], name);
  }
});

Deno.test("a hello in five records wakes the reader once for each more", () => {
  const [stream] = recorded("tls-openssl-records");
  assert.ok(wakesOf(stream).length <= 3 + 5, `${wakesOf(stream)}`);
});

for (const name of recordingsOf("quic")) {
  Deno.test(`${name}: the name`, () => {
    const reader = new QuicReader();
    const found = new FoundName();
    const results = recorded(name).map((datagram) => reader.datagram(datagram, datagram.length, found));
    assert.equal(textOf(found), expectedName(name));
    assert.equal(results.at(-1) === NAME, expectedName(name) !== "");
  });
}

Deno.test("the hellos of browsers are post-quantum: they need two datagrams", () => {
  for (const name of ["quic-chromium", "quic-chromium-v2", "quic-firefox"]) {
    const reader = new QuicReader();
    const [first, second] = recorded(name);
    const found = new FoundName();
    assert.equal(reader.datagram(first, first.length, found), 1, name);
    assert.equal(reader.datagram(second, second.length, found), NAME, name);
  }
});

Deno.test("browsers offer an encrypted hello, others do not", () => {
  const encrypted = RECORDINGS.filter((name) => {
    const found = new FoundName();
    const reader = new QuicReader();
    for (const bytes of recorded(name)) {
      if (name.startsWith("quic")) reader.datagram(bytes, bytes.length, found);
      else readStream(bytes, bytes.length, found);
    }
    const protocol = name.startsWith("quic") ? QUIC : name.startsWith("tls") ? TLS : HTTP;
    assert.equal(found.protocol, protocol, name);
    return found.encrypted;
  });
  const browsers = ["quic-chromium", "quic-chromium-v2", "quic-firefox", "tls-chromium", "tls-firefox"];
  assert.deepEqual(encrypted, browsers);
});
