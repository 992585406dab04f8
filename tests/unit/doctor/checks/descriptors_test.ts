import assert from "node:assert/strict";
import { judgeDescriptors, readDescriptors } from "../../../../src/doctor/checks/descriptors.ts";
import { configWith } from "../../kernel/support/view.ts";
import { memoryFiles, processOf, situationWith, troubles } from "../support/machine.ts";

Deno.test("judgeDescriptors() goes by the limit of the proxy that runs, and by what the config asks for", () => {
  const room = (descriptors: number) => ({ connections: descriptors / 2, udpSessions: descriptors });
  const proxy = processOf("tproxy", ["tproxy", "run"], 99);
  const files = memoryFiles({
    "/proc/99/limits":
      "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            512                  1024                 files     \n",
  });
  const ofProxy = readDescriptors(files, [processOf("socat"), proxy]);
  assert.deepEqual(ofProxy, { hard: 1024, of: "the proxy that runs" });
  assert.equal(readDescriptors(files, []).of, "this session");
  const judge = (hard: number, limits: object = {}) =>
    judgeDescriptors(
      { hard, of: "this session" },
      situationWith({ config: { ...configWith(), ...limits } }),
      room,
    );
  assert.deepEqual(troubles(judge(1024)), ["warning descriptors"]);
  assert.match(judge(1024)[0].remedy, /LimitNOFILE=65536/);
  assert.deepEqual(troubles(judge(20000)), []);
  const wanting = (connections: number) => ({ limits: { ...configWith().limits, connections } });
  assert.match(judge(20000, wanting(12000))[0].cause, /limits\.connections asks for 12000/);
  assert.deepEqual(troubles(judge(1024, wanting(100))), []);
  const { intercept, limits } = configWith();
  const udpOnly = {
    intercept: { ...intercept, protocols: ["udp"] },
    limits: { ...limits, connections: 12000 },
  };
  const [{ state, what }] = judge(1024, udpOnly);
  assert.equal(state, "works");
  assert.match(what, /enough for 1024 UDP sessions$/);
});
