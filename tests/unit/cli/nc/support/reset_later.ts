/** A worker that resets the connection whose descriptor it is given, a little later. */
import { reset } from "../../../ffi/support/tcp.ts";

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<number>) => void;
  postMessage(message: string): void;
};
scope.onmessage = ({ data }) => void setTimeout(() => reset(data), 200);
scope.postMessage("ready");
