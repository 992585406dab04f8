/**
 * Calls from the main thread to the hosts of the self-test. Each host is a worker thread in a network
 * namespace of its own.
 * @module
 */

/** A request to a host, and its answer. */
export interface HostRequest {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}
/** The answer to a request. */
export type HostAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string; readonly missingModule: string };

/** Failure on a host. */
export class HostError extends Error {
  /** The module of the kernel whose lack it shows; may be empty. */
  readonly missingModule: string;

  /** With the host's own message. */
  constructor(message: string, missingModule: string) {
    super(message);
    this.missingModule = missingModule;
  }
}

/** Abilities of a host: methods that take and return plain data. */
// deno-lint-ignore no-explicit-any -- parameters vary contravariantly; `unknown` would accept no method
export type HostMethods<T> = { [K in keyof T]: (...args: any[]) => unknown };

/** A host seen from the main thread: the same methods, asynchronous. */
export type Remote<T extends HostMethods<T>> = {
  [K in keyof T]: (...args: Parameters<T[K]>) => Promise<Awaited<ReturnType<T[K]>>>;
};

/** A host's thread. */
export interface HostThread<T extends HostMethods<T>> {
  readonly remote: Remote<T>;
  close(): void;
}

/** The roles of a host. */
export type Role = "client" | "router" | "server";

/** Starts the thread of a host. A call rejects with the host's own message. */
export function startHost<T extends HostMethods<T>>(role: Role, url: URL): HostThread<T> {
  const worker = new Worker(url, { type: "module", name: `selftest ${role}` });
  const pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let nextId = 1;
  worker.onmessage = ({ data }: MessageEvent<HostAnswer>) => {
    const call = pending.get(data.id);
    pending.delete(data.id);
    if ("error" in data) call?.reject(new HostError(data.error, data.missingModule));
    else call?.resolve(data.value);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    for (const call of pending.values()) call.reject(new Error(event.message));
    pending.clear();
  };
  function call(method: string, args: readonly unknown[]): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = nextId++;
    pending.set(id, { resolve, reject });
    worker.postMessage({ id, method, args } satisfies HostRequest);
    return promise;
  }
  worker.postMessage({ id: 0, method: "role", args: [role] } satisfies HostRequest);
  const remote = new Proxy({}, {
    // Not `then`: an object that has one is taken for a promise.
    get: (_, method) => method === "then" ? undefined : (...args: unknown[]) => call(String(method), args),
  });
  return { remote: remote as Remote<T>, close: () => worker.terminate() };
}
