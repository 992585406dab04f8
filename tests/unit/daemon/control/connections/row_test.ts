import assert from "node:assert/strict";
import { sinceEpoch } from "../../../../../ffi/clock.ts";
import { formatId, parseId } from "../../../../../src/daemon/control/connections/id.ts";
import { describeRow } from "../../../../../src/daemon/control/connections/row.ts";
import { bytesUp } from "../../../../../src/dataplane/shared/ledger.ts";
import { formatIp } from "../../../../../src/net/ip.ts";
import { begin, BEGUN, openBooks } from "../support/books.ts";

Deno.test("describeRow() tells of a session by names", () => {
  const { books, tcp, udp } = openBooks(8);
  begin(tcp, {
    slot: 3,
    client: "192.168.1.23:50123",
    destination: "203.0.113.9:443",
    name: "video.example.net",
    rule: 1,
    carrier: 1,
  });
  tcp.bytes[bytesUp(3)] += 7;
  begin(udp, { slot: 0, client: "[2001:db8::7]:5353", destination: "[2001:db8::53]:53" });
  const device = (name: string) => ({ name, mac: "02:00:00:00:00:01" });
  const [first, second] = [...books.sessions()].map((session) =>
    describeRow(session, (address) => device(`at ${formatIp(address)}`))
  );
  assert.deepEqual(first, {
    id: "t0.3.4",
    protocol: "tcp",
    family: "ipv4",
    client: "192.168.1.23",
    clientPort: 50123,
    device: "at 192.168.1.23",
    mac: "02:00:00:00:00:01",
    destination: "203.0.113.9",
    destinationPort: 443,
    name: "video.example.net",
    rule: "work",
    upstream: "office",
    state: "open",
    bytesUp: 7,
    bytesDown: 0,
    started: new Date([...books.sessions()][0].started).toISOString(),
  });
  assert.equal(second.started, new Date(sinceEpoch(BEGUN)).toISOString());
  const { id, family, client, name, rule, upstream, state } = second;
  assert.deepEqual([id, family, client, name, rule, upstream, state], [
    "u0.0.1",
    "ipv6",
    "2001:db8::7",
    null,
    null,
    null,
    "open",
  ]);
});

Deno.test("parseId() reads what formatId() has written, and nothing else", () => {
  const key = { worker: 1, protocol: "udp", slot: 70_000, tag: 0xffffffff } as const;
  assert.deepEqual(parseId(formatId(key)), key);
  for (const text of ["", "t", "x0.1.2", "t0.1", "t0.1.2.3", "t-1.1.2", "t0.1.2 "]) {
    assert.equal(parseId(text), undefined, text);
  }
});
