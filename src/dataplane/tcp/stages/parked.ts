/**
 * The stage of a session that another process is told of: until that has it, or has come to nothing, both
 * sockets are left alone.
 * @module
 */
import type { Stage } from "./stage.ts";

/** The stage. */
export class Parked implements Stage {
  /** See {@linkcode Stage}. */
  enter(): number {
    return 0;
  }

  /** See {@linkcode Stage}: what the turn before has left to do is left to the other process. */
  ready(): void {}

  /** See {@linkcode Stage}. */
  due(): void {}
}
