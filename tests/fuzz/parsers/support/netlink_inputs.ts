/**
 * Messages of netlink whose lengths add up, and whose attributes are almost right.
 * @module
 */
import { align, LITTLE_ENDIAN } from "../../../../src/netlink/attribute.ts";
import { decodeMessages, encodeMessages } from "../../../../src/netlink/message.ts";
import type { Random } from "../../../laboratory/proxy/policies.ts";
import { join, mutate } from "../../engine/mutate.ts";

const HEADER = 4;
const MOST_DATA = 600;

/** An attribute; those inside, if it seems to have any. */
interface Attribute {
  readonly type: number;
  data: Uint8Array;
  inside: Attribute[] | null;
}

/** Changes a message or two of a datagram. `structure`: bytes before the attributes of a type of message. */
export function changeMessages(
  datagram: Uint8Array,
  random: Random,
  structure: (type: number) => number,
): Uint8Array {
  const messages = decodeMessages(datagram);
  for (let left = 1 + random.below(2); left > 0; left--) {
    const at = random.below(messages.length);
    const { type, body } = messages[at];
    const head = body.subarray(0, structure(type));
    const attributes = readTree(body.subarray(head.length));
    if (attributes === null || random.below(8) === 0) {
      messages[at] = { ...messages[at], body: mutate(body, { random, most: MOST_DATA }) };
      continue;
    }
    for (let changes = 1 + random.below(3); changes > 0; changes--) change(attributes, random);
    const fixed = random.below(4) === 0 ? mutate(head, { random, most: head.length }) : head;
    messages[at] = { ...messages[at], body: join(fixed, writeTree(attributes)) };
  }
  return encodeMessages(messages);
}

/** Changes one attribute, at any depth. */
function change(attributes: Attribute[], random: Random): void {
  const at = random.below(attributes.length);
  const attribute = attributes[at];
  if (attribute === undefined) return;
  if (attribute.inside !== null && random.below(4) !== 0) return change(attribute.inside, random);
  const other = random.one(attributes);
  switch (random.below(7)) {
    case 0:
      attributes.splice(at, 1);
      break;
    case 1:
      attributes.splice(random.below(attributes.length + 1), 0, attribute);
      break;
    case 2:
      attributes[at] = { ...attribute, type: random.below(24) };
      break;
    case 3:
      attributes[at] = { ...other, type: attribute.type };
      break;
    case 4:
      attributes[at] = { ...attribute, inside: null, data: attribute.data.subarray(0, random.below(9)) };
      break;
    default:
      attributes[at] = {
        ...attribute,
        inside: null,
        data: mutate(attribute.data, { random, most: MOST_DATA }),
      };
  }
}

function readTree(bytes: Uint8Array, depth = 0): Attribute[] | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const attributes: Attribute[] = [];
  let at = 0;
  while (at + HEADER <= bytes.length) {
    const length = view.getUint16(at, LITTLE_ENDIAN);
    if (length < HEADER || at + length > bytes.length) return null;
    const data = bytes.subarray(at + HEADER, at + length);
    // What has no attributes inside seldom looks as if it had.
    const inside = data.length >= 8 && depth < 6 ? readTree(data, depth + 1) : null;
    attributes.push({ type: view.getUint16(at + 2, LITTLE_ENDIAN), data, inside });
    at += align(length);
  }
  return at < bytes.length || attributes.length === 0 ? null : attributes;
}

function writeTree(attributes: readonly Attribute[]): Uint8Array {
  return join(...attributes.map(({ type, data, inside }) => {
    const value = inside === null ? data : writeTree(inside);
    const bytes = new Uint8Array(align(HEADER + value.length));
    const view = new DataView(bytes.buffer);
    view.setUint16(0, HEADER + value.length, LITTLE_ENDIAN);
    view.setUint16(2, type, LITTLE_ENDIAN);
    bytes.set(value, HEADER);
    return bytes;
  }));
}
