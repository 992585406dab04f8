/**
 * Log lines with a level and fields. A message that repeats at a high rate is counted instead of written, so
 * that a flood of connections cannot fill a disk.
 * @module
 */
import { jsonFields } from "./log_fields.ts";
import { oneLine } from "./net/one_line.ts";

/** Severity of a log line. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** Named values of a log line. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

/** A log of the program. The message is a constant text; what varies goes into the fields. */
export interface Logger {
  readonly level: LogLevel;
  /** Tells whether lines of this level are written: ask before computing costly fields. */
  enabled(level: LogLevel): boolean;
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  /** Debug lines are never held back. */
  debug(message: string, fields?: LogFields): void;
  /** Writes the counts of lines held back. Call it from a timer, if there is one, and at the end. */
  flush(): void;
}

/** A logger whose level may change while it is in use. */
export interface AdjustableLogger extends Logger {
  setLevel(level: LogLevel): void;
  /** Lines so far that were counted instead of written. */
  readonly heldBack: number;
}

/** The form of log lines. */
export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** Takes one line, newline included. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
  /**
   * The lines go to journald, which has its own clock: they start with `<6>` (syslog's severity), and text
   * has no time.
   */
  readonly journal?: boolean;
}

const SEVERITY: Readonly<Record<LogLevel, number>> = { error: 3, warn: 4, info: 6, debug: 7 };

/** Lines of one message that are written in each window; more of them are only counted. */
const LINES_PER_WINDOW = 20;
const WINDOW_MS = 60_000;
/** Bound of the memory for messages, in case that somebody puts an address into one. */
const MAX_MESSAGES = 256;

interface Repetition {
  readonly level: LogLevel;
  readonly message: string;
  readonly since: number;
  lines: number;
  heldBack: number;
}

/** Makes a logger. Lines above its level cost one comparison. */
export function createLogger(options: LoggerOptions): AdjustableLogger {
  const { format, write, now = () => new Date(), journal = false } = options;
  let level = options.level;
  let heldBack = 0;
  const repetitions = new Map<string, Repetition>();

  function put(at: Date, lineLevel: LogLevel, message: string, fields: LogFields): void {
    write(formatLine({ format, journal }, at, lineLevel, message, fields));
  }

  function close(at: Date, key: string, repetition: Repetition): void {
    repetitions.delete(key);
    const { level, message, heldBack } = repetition;
    if (heldBack > 0) put(at, level, message, { "more-in-the-last-minute": heldBack });
  }

  function closeExpired(at: Date): void {
    for (const [key, repetition] of repetitions) {
      // In order of age: the first that is young enough ends the search. A clock set back ends the window
      // too.
      const age = at.getTime() - repetition.since;
      if (age >= 0 && age < WINDOW_MS) return;
      close(at, key, repetition);
    }
  }

  function log(lineLevel: LogLevel, message: string, fields: LogFields = {}): void {
    if (SEVERITY[lineLevel] > SEVERITY[level]) return;
    const at = now();
    if (lineLevel === "debug") return put(at, lineLevel, message, fields);
    closeExpired(at);
    const key = `${lineLevel} ${message}`;
    let repetition = repetitions.get(key);
    if (repetition === undefined) {
      for (const [oldKey, old] of repetitions) {
        if (repetitions.size < MAX_MESSAGES) break;
        close(at, oldKey, old);
      }
      repetition = { level: lineLevel, message, since: at.getTime(), lines: 0, heldBack: 0 };
      repetitions.set(key, repetition);
    }
    if (repetition.lines >= LINES_PER_WINDOW) {
      repetition.heldBack++;
      heldBack++;
      return;
    }
    repetition.lines++;
    put(at, lineLevel, message, fields);
  }

  return {
    get level() {
      return level;
    },
    get heldBack() {
      return heldBack;
    },
    setLevel: (wanted) => void (level = wanted),
    enabled: (asked) => SEVERITY[asked] <= SEVERITY[level],
    error: (message, fields) => log("error", message, fields),
    warn: (message, fields) => log("warn", message, fields),
    info: (message, fields) => log("info", message, fields),
    debug: (message, fields) => log("debug", message, fields),
    flush: () => {
      const at = now();
      for (const [key, repetition] of repetitions) {
        if (repetition.heldBack > 0) close(at, key, repetition);
      }
    },
  };
}

/** Formats a line, newline included. */
export function formatLine(
  { format, journal = false }: Pick<LoggerOptions, "format" | "journal">,
  at: Date,
  level: LogLevel,
  message: string,
  fields: LogFields,
): string {
  const severity = journal ? `<${SEVERITY[level]}>` : "";
  if (format === "json") return `${severity}${formatJson(at, level, message, fields)}\n`;
  return `${severity || `${at.toISOString()} ${level} `}${formatText(message, fields)}\n`;
}

function formatJson(at: Date, level: LogLevel, message: string, fields: LogFields): string {
  // JSON leaves alone what commands a terminal with one byte more: C1, U+0080 to U+009F.
  return oneLine(JSON.stringify({ time: at.toISOString(), level, msg: message, ...jsonFields(fields) }));
}

function formatText(message: string, fields: LogFields): string {
  let text = oneLine(message);
  for (const [key, value] of Object.entries(fields)) text += ` ${key}=${formatValue(String(value))}`;
  return text;
}

function formatValue(value: string): string {
  return /^[^\s"=]+$/.test(value) ? oneLine(value) : oneLine(JSON.stringify(value));
}
