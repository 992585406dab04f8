/**
 * Promises about a datagram that the check lets pass, read with the project's own codec, which knows
 * nothing of the check: it throws where a message names anything that is not a proxy's own.
 */
import assert from "node:assert/strict";
import { LIVE_TABLE_NAME, ROUTE_PROTOCOL, TABLE_NAME } from "../../../../../src/constants.ts";
import { AttributeMap, readAttributes, readString } from "../../../../../src/netlink/attribute.ts";
import { decodeMessages, type NetlinkMessage } from "../../../../../src/netlink/message.ts";
import type { NetlinkLimits } from "../../../../../src/netlink/served/server.ts";
import type { Protocol } from "./check.ts";

const TRIAL = /^transparent_proxy_trial_[0-9_]+$/;
/** Requests of nf_tables that change nothing: get of tables, chains, rules, sets, elements, generation. */
const TABLE_READS = [1, 4, 7, 10, 13, 16, 23];
/** Changes: of tables, chains, rules, sets, elements. */
const TABLE_CHANGES = [0, 2, 3, 5, 6, 8, 9, 11, 12, 14];
const ROUTE_READS = [18, 22, 26, 30, 34];
const [NEW_ROUTE, DELETE_ROUTE, NEW_RULE, DELETE_RULE] = [24, 25, 32, 33];
const [DUMP, REPLACE, CREATE] = [0x300, 0x100, 0x400];

/** Asserts what is promised, and says in a few words what the datagram is. */
export function assertOwn(protocol: Protocol, datagram: Uint8Array, limits: NetlinkLimits): string {
  const messages = decodeMessages(datagram);
  assert.ok(messages.length > 0);
  return messages.map((message) =>
    protocol === "route" ? readRoute(message, limits) : readNetfilter(message, limits)
  ).join(" ");
}

function readNetfilter(message: NetlinkMessage, limits: NetlinkLimits): string {
  const { type, flags, body } = message;
  if (type >> 8 === 10 && TABLE_READS.includes(type & 0xff)) return `get ${type & 0xff}`;
  if (type === 0x105) return "counters";
  const map = readOnce(body.subarray(4));
  const resource = (body[2] << 8) | body[3];
  switch (type >> 8) {
    case 0:
      assert.ok(type === 16 || type === 17, `type ${type}`);
      assert.equal(resource, 10, "a batch of another part of the kernel");
      return "frame";
    case 10:
      return readTables(type & 0xff, body, map);
    case 1:
      return readFlow(type & 0xff, flags, map);
    case 3:
    case 4: {
      const isVerdict = type === 0x301;
      assert.ok(isVerdict || type === 0x302 || type === 0x401, `type ${type}`);
      if (isVerdict) return "verdict";
      const command = map.bytes(1);
      if (command === undefined) return "config";
      assert.equal(command[0], 1, "binds");
      const place = (resource - limits.port) & 0xffff;
      assert.ok(place % 4096 < 256 && place < 3 * 4096, `group ${resource}`);
      return "bind";
    }
    default:
      throw new Error(`a part of the kernel that is nobody's business here: ${type >> 8}`);
  }
}

function readTables(message: number, body: Uint8Array, map: AttributeMap): string {
  assert.ok(TABLE_CHANGES.includes(message), `message ${message}`);
  assert.equal(body[0], 1, "family inet");
  const name = map.bytes(1);
  assert.ok(name !== undefined, "without a table it would be all of them");
  const table = readString(name);
  assert.equal(name.length, table.length + 1, "no more than the name and its zero");
  assert.ok(table === TABLE_NAME || table === LIVE_TABLE_NAME || TRIAL.test(table), table);
  if (message === 0 || message === 2) assert.ok(!map.has(4), "a handle may be another's");
  for (const expression of message === 6 ? map.list(4) : []) {
    const kind = new AttributeMap(expression.data).string(1);
    assert.ok(kind !== undefined && !["match", "target", "fwd", "dup", "flow_offload"].includes(kind), kind);
  }
  return `change ${message}`;
}

function readFlow(message: number, flags: number, map: AttributeMap): string {
  assert.ok([0, 1, 2].includes(message), `message ${message} of conntrack`);
  assert.ok(map.has(1), "without addresses it would be all of them");
  if (message === 1) assert.equal(flags & DUMP, 0);
  if (message !== 0) return message === 1 ? "get flow" : "delete flow";
  assert.notEqual(flags & CREATE, 0, "it changes no flow of others");
  assert.equal(map.u32be(3), 10);
  assert.ok(map.u32be(7)! <= 30);
  for (const type of [5, 9, 15, 18, 19, 20]) assert.ok(!map.has(type), `attribute ${type}`);
  return "new flow";
}

function readRoute({ type, flags, body }: NetlinkMessage, limits: NetlinkLimits): string {
  if (ROUTE_READS.includes(type)) return `get ${type}`;
  assert.equal(flags & REPLACE, 0, "replaces or deletes many");
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const map = readOnce(body.subarray(12)); // struct rtmsg, struct fib_rule_hdr
  if (type === NEW_RULE || type === DELETE_RULE) {
    assert.equal(map.u8(21), ROUTE_PROTOCOL);
    if (type === DELETE_RULE) return "delete rule";
    assert.ok(map.u32(6)! > 0);
    assert.equal(view.getUint32(8, true), 0, "for all but our marks");
    const bits = map.u32(10)! & (map.u32(16) ?? 0xffffffff) & limits.marks;
    assert.notEqual(bits, 0, "for packets without marks of ours");
    return "new rule";
  }
  assert.ok(type === NEW_ROUTE || type === DELETE_ROUTE, `type ${type}`);
  const [, length, , , table, protocol, , kind] = body;
  assert.deepEqual([protocol, kind, map.u32(4), length], [ROUTE_PROTOCOL, 2, 1, 0], "local, to all, dev lo");
  assert.ok(!map.has(1) && !map.has(9), "a destination, or several ways");
  if (type === DELETE_ROUTE) return "delete route";
  assert.equal(map.u32(15) ?? table, limits.table);
  return "new route";
}

function readOnce(bytes: Uint8Array): AttributeMap {
  const types = readAttributes(bytes).map(({ type }) => type);
  assert.equal(new Set(types).size, types.length, "the kernel takes the last of two");
  return new AttributeMap(bytes);
}
