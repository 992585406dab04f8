/**
 * The access log: a line for each flow that has ended, written by the main thread. Nothing waits for it:
 * where its reader takes no more, flows stay in the workers' rings, and those that find no place are counted.
 * @module
 */
import type { EndedFlows } from "../../dataplane/flows/ended_flows.ts";
import type { LogFields, Logger } from "../../log.ts";
import { AccessFile, type OpenForAppending } from "./access_file.ts";
import { fieldsOf } from "./fields.ts";
import type { LineTaker } from "./line_taker.ts";
import { Rate } from "./rate.ts";

/** Milliseconds between two looks at the rings. */
const READ_MS = 200;
/** The counts of flows without a line have one at most as often. */
const COUNT_MS = 1000;
const LINES_PER_SECOND = 1000;

/** Puts a line into the log's form. `at`: milliseconds since 1970. */
export type Format = (at: number, message: string, fields: LogFields) => string;

/** The surroundings of an access log. */
export interface AccessLogParts {
  readonly flows: EndedFlows;
  /** The log's own stream. */
  readonly stream: LineTaker;
  readonly formatInStream: Format;
  readonly formatInFile: Format;
  readonly log: Logger;
  /** Opens a file; absent: as this process may. */
  readonly open?: OpenForAppending;
}

/** See the module. */
export class AccessLog {
  /** Flows without a line, so far: there were too many in a second, or nobody took lines in time. */
  readonly leftOut = { overTheRate: 0, notReadInTime: 0 };
  readonly #parts: AccessLogParts;
  readonly #rate = new Rate(LINES_PER_SECOND, Date.now());
  #where = "off";
  #file: AccessFile | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Those of them that a line has counted, and when that was written. */
  #told = { ...this.leftOut };
  #counted = 0;

  /** Makes one that is off. */
  constructor(parts: AccessLogParts) {
    this.#parts = parts;
  }

  /** Takes `log.access` over: off, on, or the path of a file. */
  adopt(where: string): void {
    if (where === this.#where) return;
    this.#leave();
    this.#where = where;
    if (where === "off") return;
    if (where !== "on") this.#file = new AccessFile(where, this.#parts.log, this.#parts.open);
    this.#parts.flows.want(true);
    this.#timer = setInterval(() => this.read(Date.now()), READ_MS);
  }

  /** Opens the file anew: somebody may have moved it. */
  reopen(): void {
    if (this.#file === null) return;
    this.read(Date.now());
    this.#file.reopen();
  }

  /** Writes what has ended, as far as reader and rate allow. `now`: milliseconds since 1970. */
  read(now: number): void {
    const { flows } = this.#parts;
    const taker = this.#file ?? this.#parts.stream;
    this.#rate.turn(now);
    while (taker.hasRoom) {
      if (!this.#rate.allows()) {
        this.leftOut.overTheRate += flows.skip();
        break;
      }
      const flow = flows.read();
      if (flow === undefined) {
        this.#rate.giveBack();
        break;
      }
      this.#write(taker, flow.ended, "flow", fieldsOf(flow));
    }
    this.leftOut.notReadInTime += flows.missed();
    if (taker.hasRoom) this.#count(taker, now);
  }

  /** Writes what is left, and ends. */
  async end(): Promise<void> {
    const file = this.#file;
    this.#leave();
    this.#where = "off";
    await file?.end();
  }

  #count(taker: LineTaker, now: number): void {
    const overTheRate = this.leftOut.overTheRate - this.#told.overTheRate;
    const notReadInTime = this.leftOut.notReadInTime - this.#told.notReadInTime;
    if (overTheRate + notReadInTime === 0 || Math.abs(now - this.#counted) < COUNT_MS) return;
    this.#counted = now;
    this.#told = { ...this.leftOut };
    this.#write(taker, now, "flows without a line", {
      "over-the-rate": overTheRate,
      "not-read-in-time": notReadInTime,
    });
  }

  #write(taker: LineTaker, at: number, message: string, fields: LogFields): void {
    const { formatInStream, formatInFile } = this.#parts;
    taker.write((this.#file === null ? formatInStream : formatInFile)(at, message, fields));
  }

  #leave(): void {
    if (this.#where === "off") return;
    this.#counted = 0;
    this.read(Date.now());
    clearInterval(this.#timer);
    this.#parts.flows.want(false);
    this.#file?.end();
    this.#file = null;
  }
}
