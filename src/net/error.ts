/**
 * The one error type of the control plane. The data plane never throws: it returns `-errno`.
 * @module
 */
import { errnoCode, errnoText } from "./errno.ts";

/** The facts of a failed operation. */
export interface OperationFailure {
  /** The attempt, as a verb: `"add rule"`, `"bind"`. */
  readonly operation: string;
  /** On what: `"divert/2"`, `"127.0.0.1:50080"`. */
  readonly object: string;
  /** The kernel's error number, positive. 0 if the failure is not the kernel's. */
  readonly errno?: number;
  /**
   * The reason in words: where there is no errno, or beside it. A quotation of the kernel says so: `"kernel:
   * no such chain"`.
   */
  readonly reason?: string;
  /** The remedy for the administrator. */
  readonly hint?: string;
  /** The module of the kernel whose lack the failure shows: `"nft_tproxy"`. */
  readonly missingModule?: string;
  /** The state that the failure has left behind, as a sentence. */
  readonly outcome?: string;
  /** The caller asked for what makes no sense: wrong usage, or an invalid config. */
  readonly usage?: boolean;
  /** Somebody is there, and does not answer. */
  readonly unanswered?: boolean;
}

/** Thrown by every control-plane operation that fails. The message is complete and fit to print. */
export class OperationError extends Error {
  /** `OperationError`. */
  override readonly name = "OperationError";
  /** The attempt, as a verb. */
  readonly operation: string;
  /** On what it was attempted. */
  readonly object: string;
  /** The kernel's error number, positive; 0 if the failure is not the kernel's. */
  readonly errno: number;
  /** The reason in words; may be empty. */
  readonly reason: string;
  /** The remedy for the administrator; may be empty. */
  readonly hint: string;
  /** The module of the kernel whose lack the failure shows; may be empty. */
  readonly missingModule: string;
  /** The state that the failure has left behind; may be empty. */
  readonly outcome: string;
  /** The caller asked for what makes no sense; otherwise the machine did not do it. */
  readonly usage: boolean;
  /** Somebody is there, and does not answer. */
  readonly unanswered: boolean;

  /** Makes the message from what is known. */
  constructor(failure: OperationFailure, options?: ErrorOptions) {
    super(describeFailure(failure), options);
    this.operation = failure.operation;
    this.object = failure.object;
    this.errno = failure.errno ?? 0;
    this.reason = failure.reason ?? "";
    this.hint = failure.hint ?? "";
    this.missingModule = failure.missingModule ?? "";
    this.outcome = failure.outcome ?? "";
    this.usage = failure.usage ?? false;
    this.unanswered = failure.unanswered ?? false;
  }

  /** The error's symbolic name, `"EEXIST"`; the empty string where there is no errno. */
  get code(): string {
    return this.errno === 0 ? "" : errnoCode(this.errno);
  }
}

/** One line: `Cannot add rule "divert/2": ENOENT (No such file or directory), kernel: …. Hint. Outcome`. */
export function describeFailure(failure: OperationFailure): string {
  const parts: string[] = [];
  if (failure.errno) parts.push(`${errnoCode(failure.errno)} (${errnoText(failure.errno)})`);
  if (failure.reason) parts.push(failure.reason);
  const object = failure.object === "" ? "" : ` "${failure.object}"`;
  const why = parts.length === 0 ? "" : `: ${parts.join(", ")}`;
  const lack = failure.missingModule ? `The kernel lacks ${failure.missingModule}` : "";
  const after = [failure.hint || lack, failure.outcome].map((sentence) => sentence ? `. ${sentence}` : "");
  return `Cannot ${failure.operation}${object}${why}${after.join("")}`;
}

/** Passes a data-plane result on, or throws it as an OperationError if it is `-errno`. */
export function check(result: number, operation: string, object = "", hint = ""): number {
  if (result >= 0) return result;
  throw new OperationError({ operation, object, errno: -result, ...(hint ? { hint } : {}) });
}

/** Returns what the work comes to; undefined where it throws an OperationError. Defects are thrown on. */
export function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof OperationError) return undefined;
    throw error;
  }
}
