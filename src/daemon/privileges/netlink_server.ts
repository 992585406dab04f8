/**
 * The end of the one who changes the kernel's rules: without it a proxy that has given up CAP_NET_ADMIN can
 * follow and heal nothing, so it ends, and a service manager starts it again.
 * @module
 */
import { OperationError } from "../../net/error.ts";
import { isServerGone } from "../../netlink/served/server.ts";

/** A watch over it. */
export interface ServerWatch {
  /** Rejects with an OperationError when it has ended. */
  readonly gone: Promise<never>;
  end(): void;
}

/** Watches it: it is a child of this process, so that the kernel tells. */
export function followNetlinkServer(): ServerWatch {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {}); // told to whoever waits for it
  const look = () => {
    if (isServerGone()) reject(ended());
  };
  Deno.addSignalListener("SIGCHLD", look);
  look(); // it may have gone before
  return { gone: promise, end: () => Deno.removeSignalListener("SIGCHLD", look) };
}

function ended(): OperationError {
  return new OperationError({
    operation: "keep",
    object: "the rules",
    reason: "the process that changes them for this one (tproxy-netlink) has ended",
    hint: "Start the proxy again",
  });
}
