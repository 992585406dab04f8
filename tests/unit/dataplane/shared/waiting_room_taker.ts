/**
 * The second thread of the test of the waiting room: takes what it can, until the last answer comes.
 * @module
 */
import { AF_INET } from "../../../../ffi/consts.ts";
import { Answer } from "../../../../src/dataplane/asking/answer.ts";
import { WaitingRoom } from "../../../../src/dataplane/shared/waiting_room.ts";

const scope = globalThis as unknown as {
  onmessage: ((event: MessageEvent<SharedArrayBuffer>) => void) | null;
  postMessage(message: unknown): void;
};

function flow(number: number): Int32Array {
  const words = new Int32Array(16);
  words[0] = AF_INET | (40000 << 16);
  words[1] = number;
  words[8] = AF_INET | (443 << 16);
  words[9] = 0x0100007f;
  return words;
}

scope.onmessage = ({ data }) => {
  const room = new WaitingRoom(new Int32Array(data));
  const taken = new Answer();
  const marks: number[] = [];
  const flows = Array.from({ length: 64 }, (_, i) => flow(i));
  const end = flow(9999);
  scope.postMessage("started");
  while (!room.take(end, 0, 8, taken)) {
    for (const words of flows) if (room.take(words, 0, 8, taken)) marks.push(taken.mark);
  }
  scope.postMessage(marks);
};
