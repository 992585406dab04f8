/**
 * The streams of datagrams that are measured.
 * @module
 */

/** One kind of stream. */
export interface Stream {
  /** `up`: from client to server. */
  readonly direction: "up" | "down";
  /** Bytes of payload. */
  readonly size: number;
  /** Client sockets. */
  readonly flows: number;
}

/** The streams by name: direction, bytes of payload, flows if there is more than one. */
export const STREAMS = {
  up64: { direction: "up", size: 64, flows: 1 },
  up1200: { direction: "up", size: 1200, flows: 1 },
  down64: { direction: "down", size: 64, flows: 1 },
  down1200: { direction: "down", size: 1200, flows: 1 },
  up64x16: { direction: "up", size: 64, flows: 16 },
  down64x16: { direction: "down", size: 64, flows: 16 },
} as const satisfies Record<string, Stream>;

/** The streams that are sent at a fixed rate too. */
export const STEADY_STREAMS = ["up64", "up1200", "down64", "down1200"] as const;

/** Datagrams/s of the fixed rate. */
export const STEADY_RATE = 20_000;
/** Client sockets that ask at once, in the second test of latency. */
export const MANY = 32;
