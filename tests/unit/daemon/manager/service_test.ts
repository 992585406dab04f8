import assert from "node:assert/strict";
import { takeServiceManager } from "../../../../src/daemon/manager/service.ts";

function take(variables: Record<string, string>): ReturnType<typeof takeServiceManager> {
  const left = new Map(Object.entries(variables));
  const taken = takeServiceManager({
    get: (name) => left.get(name),
    delete: (name) => void left.delete(name),
  }, 7);
  assert.deepEqual([...left.keys()], [], "children would take themselves for the service");
  return taken;
}

Deno.test("takeServiceManager() reads the socket and the watchdog's time, and removes both", () => {
  assert.deepEqual(take({ NOTIFY_SOCKET: "@x", WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7" }), {
    socket: "@x",
    watchdogMs: 30_000,
  });
  assert.equal(take({ WATCHDOG_USEC: "500" }).watchdogMs, 0.5);
});

Deno.test("takeServiceManager() heeds no watchdog of another process, and none without a time", () => {
  assert.equal(take({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "8" }).watchdogMs, undefined);
  for (const time of ["0", "", "soon", "-1"]) {
    assert.equal(take({ WATCHDOG_USEC: time }).watchdogMs, undefined);
  }
  assert.deepEqual(take({}), { socket: undefined, watchdogMs: undefined });
});
