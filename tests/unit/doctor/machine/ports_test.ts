import assert from "node:assert/strict";
import { readPorts } from "../../../../src/doctor/machine/ports.ts";
import { configWith } from "../../kernel/support/view.ts";
import { memoryFiles, processOf, situationWith } from "../support/machine.ts";

Deno.test("readPorts() asks the real kernel, and finds the process by its descriptors", () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  try {
    const config = {
      ...configWith({ protocols: ["tcp"], families: ["ipv4"] }),
      listener: { port, workers: 1 },
    };
    const me = processOf("deno", ["deno", "test"], Deno.pid);
    const socket = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name);
    const files = {
      ...memoryFiles({}),
      readText: (path: string) => Deno.readTextFileSync(path),
      list: () => socket,
      readLink: (path: string) => {
        try {
          return Deno.readLinkSync(path);
        } catch {
          return undefined;
        }
      },
    };
    const [taken] = readPorts(files, situationWith({ config, families: ["ipv4"], processes: [me] }));
    assert.equal(taken.errno, 98);
    assert.deepEqual(taken.holders, [me]);
  } finally {
    listener.close();
  }
});
