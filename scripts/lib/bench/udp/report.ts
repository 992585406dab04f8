/**
 * Reports that the program in load/ prints, and their evaluation.
 * @module
 */

/** Of a sender. */
export interface SendReport {
  readonly sent: number;
  /** Duration of sending. */
  readonly seconds: number;
}

/** Of a receiver. */
export interface ReceiveReport {
  /** Duplicates included. */
  readonly received: number;
  readonly duplicates: number;
  /** Came after a later one of their flow. */
  readonly reordered: number;
  /** Of a length or content that nobody sent. */
  readonly malformed: number;
  /** Dropped by the kernel at the receiver's own queue. */
  readonly dropped: number;
  /** From the first to the last. */
  readonly seconds: number;
}

/** Of a client that exchanges one datagram for one. */
export interface PingReport {
  readonly exchanges: number;
  /** Requests without an answer in 200 ms. */
  readonly lost: number;
  readonly seconds: number;
  /** Microseconds. */
  readonly median: number;
  /** Microseconds. */
  readonly p99: number;
}

/** Of a client that keeps sessions open. */
export interface HoldReport {
  /** Those that had an answer. */
  readonly sessions: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Microseconds. */
  readonly median: number;
  /** Microseconds. */
  readonly p99: number;
}

/** Result of a transfer. */
export interface Transferred {
  /** Datagrams/s that the sender sent. */
  readonly offered: number;
  /** Datagrams/s that arrived, each counted once, while they arrived. */
  readonly delivered: number;
  /** Datagrams that arrived, each counted once. */
  readonly count: number;
  /** Percent of those sent that did not arrive. */
  readonly loss: number;
  readonly duplicates: number;
  readonly reordered: number;
  /** Percent of those sent that were lost at the receiver's own queue. */
  readonly receiverLoss: number;
}

const NAMES = {
  send: ["sent", "seconds"],
  receive: ["received", "duplicates", "reordered", "malformed", "dropped", "seconds"],
  ping: ["exchanges", "lost", "seconds", "median", "p99"],
  hold: ["sessions", "seconds", "median", "p99"],
} as const;

/** Reports by kind. */
interface Reports {
  send: SendReport;
  receive: ReceiveReport;
  ping: PingReport;
  hold: HoldReport;
}

/** Reads the line that a program printed; throws where a number is missing. */
export function parseReport<K extends keyof Reports>(kind: K, text: string): Reports[K] {
  const report = text.trim() === "" ? {} : JSON.parse(text);
  const missing = NAMES[kind].filter((name) => !Number.isFinite(report[name]));
  if (missing.length > 0) {
    throw new Error(
      `Cannot read what the load generator printed, ${missing.join(", ")} is missing: "${text}"`,
    );
  }
  return report;
}

/** Puts both ends of a transfer together; throws where they do not fit. */
export function combine(sent: SendReport, received: ReceiveReport): Transferred {
  const count = received.received - received.duplicates;
  if (received.malformed > 0 || count > sent.sent) {
    throw new Error(`What arrived is not what was sent: ${JSON.stringify({ sent, received })}`);
  }
  return {
    offered: sent.sent / sent.seconds,
    // A single datagram takes no time.
    delivered: received.seconds > 0 ? count / received.seconds : 0,
    count,
    loss: 100 * (1 - count / sent.sent),
    duplicates: received.duplicates,
    reordered: received.reordered,
    receiverLoss: 100 * received.dropped / sent.sent,
  };
}
