/**
 * Gives a client's connection to the worker that was asked about it: both follow from the client's port.
 * @module
 */
import { AF_INET6 } from "../../../ffi/consts.ts";
import {
  BPF_AND,
  BPF_LOAD_HALF,
  BPF_MULTIPLY,
  BPF_RETURN_RESULT,
  BPF_SHIFT_RIGHT,
  chooseSocket,
  SKF_NET_OFF,
} from "../../../ffi/sockets/filter.ts";
import { QUESTION_SHIFT, questionBits } from "../../constants.ts";

/** Places of TCP's source port behind IP headers; what is sent on has no IP options. */
const PORT_AT = { ipv4: 20, ipv6: 40 } as const;

/**
 * Has the listeners of a family share connections as questionShare() shares questions. `fd`: any of them;
 * they began to listen in the order of their workers. 0 or -errno.
 */
export function steerToAsked(fd: number, family: number, workers: number): number {
  const bits = questionBits(workers);
  const port = family === AF_INET6 ? PORT_AT.ipv6 : PORT_AT.ipv4;
  return chooseSocket(fd, [
    [BPF_LOAD_HALF, SKF_NET_OFF + port],
    [BPF_SHIFT_RIGHT, QUESTION_SHIFT],
    [BPF_AND, (1 << bits) - 1],
    [BPF_MULTIPLY, workers],
    [BPF_SHIFT_RIGHT, bits],
    [BPF_RETURN_RESULT, 0],
  ]);
}
