/**
 * Decides on held segments: a stream goes on until a name is whole, and then for good, or it ends on both
 * sides. A part of a head is sent on at once, or its client would wait for its acknowledgement (Nagle); the
 * server can do nothing with it.
 * @module
 */
import { ENDS, GOES_ON, type Judge } from "./judge.ts";
import type { Segment } from "./segment.ts";
import { HEAD_BYTES, REFUSED, RELEASED, Streams } from "./streams.ts";
import type { Way } from "./way.ts";

/** Fate of a segment: sent on, the last of its stream that is held, refused, or left to be repeated. */
export type Fate = "passed" | "released" | "refused" | "dropped";

/** A worker's watcher. */
export class Watcher {
  /** The error of the last segment that could not be sent, as -errno; 0: there was none. */
  failure = 0;
  readonly #streams = new Streams();
  readonly #judge: Judge;

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  /** Takes note of a SYN, which goes its way: data in it do not count, as no server takes them. */
  begin(segment: Segment): void {
    const streams = this.#streams;
    const first = (segment.sequence + 1) | 0;
    const stream = streams.find(segment.addresses);
    // One that comes again says nothing new.
    if (stream < 0 || streams.offsetOf(stream, first) !== 0) streams.begin(segment.addresses, first);
  }

  /** Does with a segment what has to be done; `way`: how it is held. */
  take(segment: Segment, way: Way): Fate {
    const streams = this.#streams;
    let stream = streams.find(segment.addresses);
    // Its SYN was not seen, or long ago: it seems to begin here.
    if (stream < 0) stream = streams.begin(segment.addresses, segment.sequence);
    const state = streams.stateOf(stream);
    if (state === REFUSED) return this.#refuse(segment, way);
    // It was on its way to here when the stream was released.
    if (state === RELEASED) return this.#sent("passed", way.release(segment));
    const offset = streams.offsetOf(stream, segment.sequence);
    const length = streams.lengthOf(stream);
    // Something before it is missing: its client sends both again.
    if (offset > length) return this.#sent("dropped", way.drop(segment));
    const end = offset + segment.dataLength;
    if (end <= length) return this.#sent("passed", way.pass(segment));
    const next = streams.nextOf(stream);
    // What lies before the begin is no data: a probe of a client that keeps the connection alive.
    const skipped = Math.max(0, -offset);
    streams.add(
      stream,
      offset + skipped,
      segment.bytes,
      segment.data + skipped,
      segment.dataLength - skipped,
    );
    const isWhole = end >= HEAD_BYTES;
    const verdict = this.#judge.judge(streams.headOf(stream), Math.min(end, HEAD_BYTES), segment, isWhole);
    if (verdict === ENDS) {
      streams.decide(stream, REFUSED);
      this.#sent("refused", way.resetServer(segment, next));
      return this.#refuse(segment, way);
    }
    if (verdict > GOES_ON && !isWhole) return this.#sent("passed", way.pass(segment));
    const fate = this.#sent("released", way.release(segment));
    if (fate === "released") streams.decide(stream, RELEASED);
    return fate;
  }

  /** Describes all streams for another process: see {@linkcode Streams.give}. */
  give(): Int32Array {
    return this.#streams.give();
  }

  /** Goes on with those of another process. */
  inherit(rows: Int32Array): void {
    this.#streams.inherit(rows);
  }

  #refuse(segment: Segment, way: Way): Fate {
    return this.#sent("refused", way.refuse(segment));
  }

  #sent(fate: Fate, returned: number): Fate {
    if (returned >= 0) return fate;
    this.failure = returned;
    return "dropped";
  }
}
