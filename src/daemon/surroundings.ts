/**
 * The outside world of a daemon: the service manager that has started it, and the reader of its log.
 * @module
 */
import type { Config } from "../config/types.ts";
import { type AdjustableLogger, createLogger, formatLine } from "../log.ts";
import type { EndedFlows } from "../dataplane/flows/ended_flows.ts";
import type { OpenForAppending } from "./access/access_file.ts";
import { AccessLog } from "./access/access_log.ts";
import { closeFd } from "../../ffi/sockets/socket.ts";
import { duplicateTo } from "../../ffi/process.ts";
import { LogSink } from "./log_sink.ts";
import { type Notifier, openNotifier } from "./manager/notify.ts";
import { type ServiceManager, takeServiceManager } from "./manager/service.ts";

/** The part of a log line's form that the config does not decide. */
export interface LogStyle {
  /** Standard error is journald's stream: lines need no time. */
  readonly journal: boolean;
  readonly now: () => Date;
}

/** Lines of the log that were not written, so far. */
export interface LogLoss {
  /** Those that were counted instead. */
  readonly heldBack: number;
  /** Those that nobody took in time. */
  readonly lost: number;
}

/** See the module. */
export class Surroundings {
  readonly service: ServiceManager;
  readonly notifier: Notifier;
  readonly log: AdjustableLogger;
  readonly lines: LogLoss;
  /** The log goes to a terminal. */
  readonly terminal: boolean;
  readonly #sink: LogSink;
  readonly #style: { readonly format: Config["log"]["format"]; readonly journal: boolean };

  constructor({ level, format }: Config["log"], { journal, now }: LogStyle) {
    this.service = takeServiceManager(Deno.env, Deno.pid);
    this.notifier = openNotifier(this.service.socket);
    const sink = new LogSink(2);
    const log = createLogger({ level, format, write: (line) => sink.write(line), now, journal });
    sink.onLost = (lines) => log.warn("log lines are lost: nobody took them in time", { lines });
    this.log = log;
    this.lines = {
      get heldBack() {
        return log.heldBack;
      },
      get lost() {
        return sink.dropped;
      },
    };
    this.terminal = sink.terminal;
    this.#sink = sink;
    this.#style = { format, journal };
  }

  /** Makes the access log, which is off. */
  makeAccessLog(flows: EndedFlows, open?: OpenForAppending): AccessLog {
    const { format, journal } = this.#style;
    return new AccessLog({
      flows,
      stream: this.#sink,
      formatInStream: (at, ...rest) => formatLine({ format, journal }, new Date(at), "info", ...rest),
      formatInFile: (at, ...rest) => formatLine({ format }, new Date(at), "info", ...rest),
      log: this.log,
      ...(open === undefined ? {} : { open }),
    });
  }

  /** Writes to these from now on, in the place of standard output and error. */
  moveOutput(outputs: readonly number[]): void {
    for (const [i, fd] of outputs.entries()) {
      duplicateTo(fd, i + 1);
      closeFd(fd);
    }
    this.#sink.move(2);
  }

  /** Says what is left to say, and parts. */
  async end(): Promise<void> {
    this.log.flush();
    this.notifier.close();
    await this.#sink.end();
  }
}
