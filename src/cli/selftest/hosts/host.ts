/**
 * A host's thread: answers calls. Everything in it that touches the network must happen on this very thread,
 * which alone is in the host's namespace.
 * @module
 */
import { OperationError } from "../../../net/error.ts";
import { ClientHost } from "./client_host.ts";
import type { HostAnswer, HostRequest, Role } from "./remote.ts";
import { RouterHost } from "./router_host.ts";
import { ServerHost } from "./server_host.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<HostRequest>) => void) | null;
  postMessage(message: HostAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;
let host: object | undefined;

function makeHost(role: Role): object {
  switch (role) {
    case "client":
      return new ClientHost();
    case "server":
      return new ServerHost();
    case "router":
      return new RouterHost();
  }
}

async function answer({ id, method, args }: HostRequest): Promise<void> {
  if (method === "role") {
    host = makeHost(args[0] as Role);
    return;
  }
  try {
    const methods = host as Record<string, (...args: readonly unknown[]) => unknown>;
    scope.postMessage({ id, value: await methods[method](...args) });
  } catch (error) {
    const missingModule = error instanceof OperationError ? error.missingModule : "";
    scope.postMessage({ id, error: error instanceof Error ? error.message : String(error), missingModule });
  }
}

scope.onmessage = ({ data }) => void answer(data);
