/**
 * The seam between questions and UDP. Pure.
 * @module
 */
import type { Question } from "./question.ts";

/** The part of a worker that answers questions of UDP. */
export interface UdpAsked {
  /** Answers a question, which is good until this returns. */
  asked(question: Question): void;
}
