/**
 * First packets out of NFLOG messages that a kernel has written.
 */
import assert from "node:assert/strict";
import { readSockaddr } from "../../../../ffi/sockets/sockaddr.ts";
import { mendChecksum } from "../../../../src/dataplane/asking/packet/checksums.ts";
import { readFirstPacket } from "../../../../src/dataplane/asking/packet/first_packet.ts";
import { LogMessage } from "../../../../src/dataplane/asking/packet/log_message.ts";
import { Question } from "../../../../src/dataplane/asking/question.ts";
import { Translated } from "../../../../src/dataplane/asking/packet/translated.ts";
import { formatEndpoint } from "../../../../src/net/ip.ts";
import { inMemory, recorded, RECORDINGS } from "./recordings.ts";

const AT = 64;

function read(datagram: Uint8Array, question = new Question()): { question: Question; log: LogMessage } {
  const memory = inMemory(datagram);
  const log = new LogMessage();
  const end = AT + datagram.length;
  assert.equal(log.read(memory.bytes, AT, end), end);
  assert.notEqual(log.prefix, 0);
  assert.ok(readFirstPacket(question, memory, log), "it asks something");
  return { question, log };
}

/** The question of a recording, whether it came as one message or two. */
function question(name: string): Question {
  const datagrams = recorded(name);
  const translated = new Translated();
  let read_ = read(datagrams[0]);
  if (datagrams.length === 2) {
    translated.keep(read_.question);
    read_ = read(datagrams[1]);
    assert.ok(translated.join(read_.question), "the two halves belong together");
  }
  return read_.question;
}

const show = (address: Uint8Array) => formatEndpoint(readSockaddr(address));

function facts({ client, destination, answer, protocol, ttl }: Question): unknown {
  const { mss, tos, mark } = answer;
  return {
    protocol,
    asked: `${show(client)} ${show(destination)}`,
    answered: `${show(answer.source)} ${show(answer.destination)}`,
    interfaces: `${answer.iif} ${answer.oif}`,
    ttl,
    ...{ mss, tos, mark },
  };
}

const PLAIN = { ttl: 63, tos: 0, mark: 0, interfaces: "2 3" };

Deno.test("readFirstPacket() reads a SYN of IPv4", () => {
  const asked = question("tcp4");
  const flow = "10.77.1.2:40001 203.0.113.2:443";
  assert.deepEqual(facts(asked), { ...PLAIN, protocol: 6, asked: flow, answered: flow, mss: 1460 });
});

Deno.test("readFirstPacket() reads a SYN of IPv6", () => {
  const asked = question("tcp6");
  const flow = "[fd77:1::2]:40001 [2001:db8:113::2]:443";
  assert.deepEqual(facts(asked), { ...PLAIN, protocol: 6, asked: flow, answered: flow, mss: 1440 });
});

Deno.test("readFirstPacket() reads mark, TOS and MSS as the router has made them", () => {
  const { answer } = question("tcp4-marked");
  assert.deepEqual([answer.mark, answer.tos, answer.mss], [0x00c0ffee, 0xb8, 1000]);
});

Deno.test("Translated.join() makes one question of two messages", () => {
  assert.deepEqual(facts(question("tcp4-nat")), {
    ...PLAIN,
    protocol: 6,
    asked: "10.77.1.2:40001 192.0.2.9:53",
    answered: "203.0.113.1:40001 203.0.113.2:5353",
    mss: 1460,
  });
  assert.deepEqual(facts(question("tcp6-nat")), {
    ...PLAIN,
    protocol: 6,
    asked: "[fd77:1::2]:40001 [2001:db8:113::2]:443",
    answered: "[2001:db8:113::1]:40001 [2001:db8:113::2]:443",
    mss: 1440,
  });
  for (const name of ["udp4-nat", "udp6-nat"]) {
    const asked = question(name);
    assert.notEqual(show(asked.client), show(asked.answer.source));
    assert.equal(text(asked), "a question of UDP");
  }
});

Deno.test("Translated.join() joins no other packet", () => {
  const translated = new Translated();
  translated.keep(read(recorded("tcp4-nat")[0]).question);
  const other = recorded("tcp4-nat")[1];
  other[other.length - 33]++; // its sequence number
  assert.ok(!translated.join(read(other).question));
});

Deno.test("readFirstPacket() leaves IP options and extension headers out", () => {
  const options = question("tcp4-options");
  const header = options.bytes.subarray(options.offset, options.offset + 20);
  assert.deepEqual([header[0], header[9], options.header], [0x45, 6, 20]);
  assert.equal((header[2] << 8) | header[3], options.length);
  assert.equal(show(options.destination), "203.0.113.2:443");
  const extension = question("udp6-extension");
  assert.deepEqual([extension.bytes[extension.offset + 6], extension.header], [17, 40]);
  assert.equal(extension.length, 40 + 8 + 17);
  assert.equal(show(extension.client), "[fd77:1::2]:40001");
});

function text({ bytes, data, dataLength }: Question): string {
  return new TextDecoder().decode(bytes.subarray(data, data + dataLength));
}

/** The recording's translated packet, with the original addresses where nft's `payload set` writes them. */
function squeezed(name: string): Uint8Array {
  const [translated, restored] = recorded(name);
  const ip = payloadOf(translated);
  const th = ip + 20;
  const original = restored.subarray(payloadOf(restored));
  const [saddr, daddr, ports] = [original.slice(12, 16), original.slice(16, 20), original.slice(20, 24)];
  const out = translated.slice();
  out[out.indexOf("t".charCodeAt(0), 20)] = (name.startsWith("tcp") ? "s" : "u").charCodeAt(0);
  if (name.startsWith("tcp")) {
    out.set(daddr, ip + 4);
    out.set(saddr, th + 8);
    out.set(ports, th + 16);
  } else {
    out.set(saddr, ip + 2);
    out.set(daddr, ip + 8);
    out.set(ports, th + 4);
  }
  return out;
}

function payloadOf(datagram: Uint8Array): number {
  const log = new LogMessage();
  log.read(datagram, 0, datagram.length);
  return log.payload;
}

Deno.test("readFirstPacket() finds original addresses in the fields of a squeezed packet", () => {
  for (const name of ["tcp4-nat", "udp4-nat"]) {
    const { question: asked } = read(squeezed(name));
    const expected = question(name);
    const ttl = name === "udp4-nat" ? 0 : 63; // UDP's is overwritten
    assert.deepEqual(facts(asked), { ...facts(expected) as object, ttl });
    mendChecksum(asked);
    mendChecksum(expected);
    assert.equal(asked.length, expected.length);
    const differing = differences(asked, expected);
    // Identification, TTL, checksum: what nobody needs.
    const free = name === "udp4-nat" ? [4, 5, 8, 10, 11] : [4, 5, 6, 7, 8, 10, 11];
    assert.ok(differing.every((at) => free.includes(at)), `${differing}`);
    assert.equal(asked.bytes[asked.offset + 6], 0x40, '"don\'t fragment" stays');
  }
});

function differences(a: Question, b: Question): number[] {
  return Array.from({ length: a.length }, (_, i) => i)
    .filter((i) => a.bytes[a.offset + i] !== b.bytes[b.offset + i]);
}

/** The sum of RFC 1071 with the pseudo header, 0xffff where the checksum is right. */
function sum({ bytes, offset, header, length, protocol }: Question): number {
  const ipv4 = bytes[offset] >> 4 === 4;
  const addresses = bytes.slice(offset + (ipv4 ? 12 : 8), offset + (ipv4 ? 20 : 40));
  const transport = bytes.slice(offset + header, offset + length);
  const all = [...addresses, 0, protocol, transport.length >> 8, transport.length & 255, ...transport, 0];
  let total = 0;
  for (let i = 0; i + 1 < all.length; i += 2) total += all[i] * 256 + all[i + 1];
  while (total > 0xffff) total = (total % 0x10000) + Math.floor(total / 0x10000);
  return total;
}

Deno.test("mendChecksum() completes what the kernel's copy lacks", () => {
  for (const name of RECORDINGS) {
    const asked = question(name);
    // The kernel leaves it to the network card, but for packets with extension headers.
    assert.equal(sum(asked) === 0xffff, name === "udp6-extension", name);
    mendChecksum(asked);
    assert.equal(sum(asked), 0xffff, name);
  }
});

Deno.test("readFirstPacket() takes no packet that is no first one", () => {
  const refused = (change: (packet: Uint8Array) => void, name = "tcp4") => {
    const datagram = recorded(name)[0];
    change(datagram.subarray(payloadOf(datagram)));
    const memory = inMemory(datagram);
    const log = new LogMessage();
    log.read(memory.bytes, AT, AT + datagram.length);
    assert.ok(!readFirstPacket(new Question(), memory, log));
  };
  refused((packet) => packet[20 + 13] = 0x12); // SYN and ACK
  refused((packet) => packet[20 + 13] = 0x10); // no SYN
  refused((packet) => packet[20 + 12] = 0xf0); // a header beyond the packet
  refused((packet) => packet[9] = 47); // GRE
  refused((packet) => packet[6] = 0x20); // a fragment
  refused((packet) => packet[0] = 0x44); // a header that is none
  refused((packet) => packet[3] = 19, "udp4"); // shorter than its headers
  refused((packet) => packet[3]++, "udp4"); // cut
  refused((packet) => packet[20 + 5]++, "udp4"); // longer than its packet
});

Deno.test("readFirstPacket() knows a datagram for which its message has no room", () => {
  // By what is copied: a squeezed packet has no length.
  for (const [name, cut] of [["udp4", true], ["udp4-nat", true], ["udp4", false]] as const) {
    const datagram = name === "udp4" ? recorded(name)[0] : squeezed(name);
    const at = payloadOf(datagram);
    const copied = cut ? 65_531 : 65_530;
    const copy = new Uint8Array(at + 65_532);
    copy.set(datagram.subarray(0, at + 28));
    const whole = cut ? 65_535 : copied;
    const fields = new DataView(copy.buffer);
    fields.setUint16(at - 4, copied + 4, true); // the attribute, and the message
    fields.setUint32(0, copy.length, true);
    if (name === "udp4") {
      fields.setUint16(at + 2, whole);
      fields.setUint16(at + 24, whole - 20);
    }
    const asked = read(copy).question;
    assert.equal(asked.isCut, cut, name);
    assert.equal(asked.length, copied, "nothing beyond the copy");
  }
});

Deno.test("LogMessage and readFirstPacket() bear any bytes, and touch nothing beyond them", () => {
  let state = 7;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  const log = new LogMessage();
  const asked = new Question();
  let accepted = 0;
  for (let round = 0; round < 20_000; round++) {
    const name = RECORDINGS[random(RECORDINGS.length)];
    const source = recordedOnce(name)[0];
    const datagram = source.slice(0, random(4) === 0 ? random(source.length) : source.length);
    for (let i = random(6); i > 0; i--) {
      if (datagram.length > 0) datagram[random(datagram.length)] = random(256);
    }
    const memory = inMemory(datagram);
    const end = AT + datagram.length;
    let at = AT;
    while (at < end) {
      const next = log.read(memory.bytes, at, end);
      assert.ok(next > at);
      at = next;
      if (log.prefix === 0) continue;
      assert.ok(log.payload >= AT && log.payload + log.length <= end);
      if (!readFirstPacket(asked, memory, log)) continue;
      accepted++;
      mendChecksum(asked);
      assert.ok(asked.offset >= log.payload && asked.offset + asked.length <= log.payload + log.length);
    }
    for (let i = 0; i < AT; i++) assert.equal(memory.bytes[i], 0xee);
    for (let i = end; i < memory.bytes.length; i++) assert.equal(memory.bytes[i], 0xee);
  }
  assert.ok(accepted > 1000, "most changes leave a question");
});

const once = new Map<string, Uint8Array[]>();

function recordedOnce(name: string): Uint8Array[] {
  if (!once.has(name)) once.set(name, recorded(name));
  return once.get(name)!;
}
