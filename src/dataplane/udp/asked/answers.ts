/**
 * The answers of the router that wait for the datagrams that they are about.
 * @module
 */
import { Answer } from "../../asking/answer.ts";
import type { WaitingRoom } from "../../shared/waiting_room.ts";

/** A worker's way to them. */
export class WaitingAnswers {
  /** The answer that was taken last. */
  readonly answer: Answer = new Answer();
  readonly #room: WaitingRoom;

  constructor(room: WaitingRoom) {
    this.#room = room;
  }

  /** Takes the answer about a client's datagram, if one waits. Both are struct sockaddr in `words`. */
  take(words: Int32Array, client: number, destination: number): boolean {
    return !this.#room.isEmpty && this.#room.take(words, client, destination, this.answer);
  }

  /** Reads the answer, which goes on waiting. */
  look(words: Int32Array, client: number, destination: number): boolean {
    return !this.#room.isEmpty && this.#room.look(words, client, destination, this.answer);
  }
}
