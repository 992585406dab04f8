/**
 * Netlink attributes: the type-length-value trees inside every message. Pure.
 *
 * rtnetlink's integers are in the machine's byte order (`u32`), those of nf_tables in network order
 * (`u32be`): the two are distinct methods, because the mistake is silent.
 * @module
 */

/** #define NLA_ALIGNTO 4, linux/netlink.h */
const ALIGNMENT = 4;
const HEADER_SIZE = 4;
/** #define NLA_F_NESTED (1 << 15), linux/netlink.h */
const NESTED_FLAG = 0x8000;
/** #define NLA_TYPE_MASK ~(NLA_F_NESTED | NLA_F_NET_BYTEORDER), linux/netlink.h */
const TYPE_MASK = 0x3fff;
/** An attribute's length is 16 bits wide, its header included. */
const MAX_ATTRIBUTE_SIZE = 0xffff;

/** Tells whether this machine is little-endian (x86-64 and aarch64 are). */
export const LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The next multiple of 4. */
export function align(length: number): number {
  return (length + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

/**
 * Writes attributes one after another. Numbers out of range and values over 65531 bytes throw a RangeError.
 */
export class AttributeWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  #reserve(length: number): number {
    const offset = this.#length;
    const end = offset + align(length);
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return offset;
  }

  #begin(type: number, length: number): number {
    if (HEADER_SIZE + length > MAX_ATTRIBUTE_SIZE) {
      throw new RangeError(`Cannot encode netlink attribute ${type}: ${length} bytes are too many`);
    }
    const offset = this.#reserve(HEADER_SIZE + length);
    this.#view.setUint16(offset, HEADER_SIZE + length, LITTLE_ENDIAN);
    this.#view.setUint16(offset + 2, type, LITTLE_ENDIAN);
    return offset + HEADER_SIZE;
  }

  /** Bytes written so far, padding included. */
  get length(): number {
    return this.#length;
  }

  /** A fixed C structure (a family header, not an attribute). It is padded to 4 bytes. */
  structure(bytes: Uint8Array): this {
    const offset = this.#reserve(bytes.length); // may replace the buffer
    this.#bytes.set(bytes, offset);
    return this;
  }

  /** Raw bytes. */
  bytes(type: number, value: Uint8Array): this {
    const offset = this.#begin(type, value.length);
    this.#bytes.set(value, offset);
    return this;
  }

  /** An attribute whose presence is its meaning. */
  flag(type: number): this {
    this.#begin(type, 0);
    return this;
  }

  /** Text with a NUL at its end. */
  string(type: number, text: string): this {
    return this.bytes(type, textEncoder.encode(`${text}\0`));
  }

  /** 8 bits. */
  u8(type: number, value: number): this {
    return this.bytes(type, Uint8Array.of(inRange(value, 0xff)));
  }

  /** 16 bits, machine byte order. */
  u16(type: number, value: number): this {
    const offset = this.#begin(type, 2);
    this.#view.setUint16(offset, inRange(value, 0xffff), LITTLE_ENDIAN);
    return this;
  }

  /** 16 bits, network byte order. */
  u16be(type: number, value: number): this {
    const offset = this.#begin(type, 2);
    this.#view.setUint16(offset, inRange(value, 0xffff));
    return this;
  }

  /** 32 bits, machine byte order. */
  u32(type: number, value: number): this {
    const offset = this.#begin(type, 4);
    this.#view.setUint32(offset, inRange(value, 0xffffffff), LITTLE_ENDIAN);
    return this;
  }

  /** 32 bits, network byte order. Negative numbers go out as two's complement. */
  u32be(type: number, value: number): this {
    const offset = this.#begin(type, 4);
    this.#view.setUint32(offset, inRange(value < 0 ? value + 0x1_0000_0000 : value, 0xffffffff));
    return this;
  }

  /** 64 bits, network byte order. */
  u64be(type: number, value: bigint): this {
    const offset = this.#begin(type, 8);
    this.#view.setBigUint64(offset, value);
    return this;
  }

  /**
   * An attribute made of the attributes that `fill` writes, with NLA_F_NESTED unless `plain` (as iproute2
   * does it).
   */
  nest(type: number, fill: (writer: AttributeWriter) => void, options: { plain?: boolean } = {}): this {
    const start = this.#begin(options.plain ? type : type | NESTED_FLAG, 0) - HEADER_SIZE;
    fill(this);
    const length = this.#length - start;
    if (length > MAX_ATTRIBUTE_SIZE) {
      throw new RangeError(`Cannot encode netlink attribute ${type}: ${length} bytes are too many`);
    }
    this.#view.setUint16(start, length, LITTLE_ENDIAN);
    return this;
  }

  /** A copy of what is written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

function inRange(value: number, maximum: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= maximum) return value;
  throw new RangeError(`Cannot encode netlink integer ${value}: not in 0 to ${maximum}`);
}

/** One attribute as it was read. `data` is a view into the message. */
export interface Attribute {
  /** nla_type, without its flags. */
  readonly type: number;
  /** Its value. */
  readonly data: Uint8Array;
}

/** Splits bytes into attributes. Throws a RangeError on lengths that do not add up. */
export function readAttributes(bytes: Uint8Array): Attribute[] {
  const view = viewOf(bytes);
  const attributes: Attribute[] = [];
  let offset = 0;
  while (offset + HEADER_SIZE <= bytes.length) {
    const length = view.getUint16(offset, LITTLE_ENDIAN);
    if (length < HEADER_SIZE || offset + length > bytes.length) {
      throw new RangeError(`Cannot decode netlink attribute at byte ${offset}: its length is ${length}`);
    }
    const type = view.getUint16(offset + 2, LITTLE_ENDIAN) & TYPE_MASK;
    attributes.push({ type, data: bytes.subarray(offset + HEADER_SIZE, offset + length) });
    offset += align(length);
  }
  return attributes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Attributes by type. Each getter is `undefined` where the attribute is absent, and throws where its size is
 * wrong.
 */
export class AttributeMap {
  readonly #byType: Map<number, Uint8Array>;

  constructor(bytes: Uint8Array) {
    this.#byType = new Map(readAttributes(bytes).map((attribute) => [attribute.type, attribute.data]));
  }

  /** Number of attributes. */
  get size(): number {
    return this.#byType.size;
  }

  /** The types that are there, in order. */
  types(): number[] {
    return [...this.#byType.keys()];
  }

  /** The value's bytes. */
  bytes(type: number): Uint8Array | undefined {
    return this.#byType.get(type);
  }

  #sized(type: number, size: number): DataView | undefined {
    const data = this.#byType.get(type);
    if (data === undefined) return undefined;
    if (data.length < size) {
      throw new RangeError(`Cannot decode netlink attribute ${type}: ${data.length} bytes, not ${size}`);
    }
    return viewOf(data);
  }

  /** Tells whether the attribute is there. */
  has(type: number): boolean {
    return this.#byType.has(type);
  }

  /** 8 bits. */
  u8(type: number): number | undefined {
    return this.#sized(type, 1)?.getUint8(0);
  }

  /** 16 bits, machine byte order. */
  u16(type: number): number | undefined {
    return this.#sized(type, 2)?.getUint16(0, LITTLE_ENDIAN);
  }

  /** 16 bits, network byte order. */
  u16be(type: number): number | undefined {
    return this.#sized(type, 2)?.getUint16(0);
  }

  /** 32 bits, machine byte order. */
  u32(type: number): number | undefined {
    return this.#sized(type, 4)?.getUint32(0, LITTLE_ENDIAN);
  }

  /** 32 bits, network byte order. */
  u32be(type: number): number | undefined {
    return this.#sized(type, 4)?.getUint32(0);
  }

  /** 32 bits with a sign, network byte order. */
  i32be(type: number): number | undefined {
    return this.#sized(type, 4)?.getInt32(0);
  }

  /** 64 bits, network byte order. */
  u64be(type: number): bigint | undefined {
    return this.#sized(type, 8)?.getBigUint64(0);
  }

  /** Text up to its NUL. */
  string(type: number): string | undefined {
    const data = this.#byType.get(type);
    return data === undefined ? undefined : readString(data);
  }

  /** The attributes inside. */
  nested(type: number): AttributeMap | undefined {
    const data = this.#byType.get(type);
    return data === undefined ? undefined : new AttributeMap(data);
  }

  /** The attributes inside, in order; none where the attribute is absent. */
  list(type: number): Attribute[] {
    const data = this.#byType.get(type);
    return data === undefined ? [] : readAttributes(data);
  }
}

/** Text up to its NUL, or to the end. */
export function readString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return textDecoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
