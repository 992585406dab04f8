/**
 * The seam between questions and the parts of a worker that answer them. Pure.
 * @module
 */
import type { Question } from "./question.ts";

/** The part of a worker that answers questions of TCP, or of UDP. */
export interface Asked {
  /** Answers a question, which is good until this returns. */
  asked(question: Question): void;
}
