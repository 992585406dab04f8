import assert from "node:assert/strict";
import { allocateMemory } from "../../../../src/dataplane/shared/memory.ts";
import { capacity, RESERVED_DESCRIPTORS } from "../../../../src/dataplane/sizing/limits.ts";

Deno.test("capacity() never needs more descriptors than there are", () => {
  for (const descriptors of [256, 1024, 20_000, 1_048_576]) {
    for (const workers of [1, 2, 8]) {
      for (const wanted of ["auto", 0, 1, 100, 1e7] as const) {
        for (const udp of [null, 1, 65_536]) {
          const { connections, pipesPerWorker, udpSessions } = capacity({
            descriptors,
            workers,
            connections: wanted,
            udpSessions: udp,
          });
          const needed = RESERVED_DESCRIPTORS + workers * 20 + connections * 2 +
            pipesPerWorker * workers * 2 +
            udpSessions;
          assert.ok(
            needed <= descriptors,
            `${descriptors} descriptors, ${workers} workers, ${wanted}, ${udp}: ${needed}`,
          );
          assert.ok(connections >= 1 && pipesPerWorker >= 0);
          assert.ok(udp === null ? udpSessions === 0 : udpSessions >= 1 && udpSessions <= udp);
          assert.ok([connections, pipesPerWorker, udpSessions].every(Number.isInteger));
        }
      }
    }
  }
});

Deno.test("capacity() takes the wanted number where it is possible, and cuts it where not", () => {
  const demand = { descriptors: 20_000, workers: 1, udpSessions: null };
  assert.equal(capacity({ ...demand, connections: 500 }).connections, 500);
  const auto = capacity({ ...demand, connections: "auto" }).connections;
  assert.equal(auto, 7464);
  assert.equal(capacity({ ...demand, connections: 1e6 }).connections, auto);
  assert.equal(capacity({ ...demand, connections: 0 }).connections, auto, "0 is no limit");
});

Deno.test("capacity() allows one connection even with hardly any descriptors", () => {
  assert.deepEqual(capacity({ descriptors: 64, workers: 4, connections: "auto", udpSessions: null }), {
    connections: 1,
    pipesPerWorker: 0,
    udpSessions: 0,
  });
});

Deno.test("capacity() gives UDP a third where TCP is relayed too, else everything", () => {
  const demand = { descriptors: 20_000, workers: 1, udpSessions: 65_536 };
  assert.equal(capacity({ ...demand, connections: "auto" }).udpSessions, 6634);
  assert.equal(capacity({ ...demand, connections: "auto", udpSessions: 100 }).udpSessions, 100);
  assert.deepEqual(capacity({ ...demand, connections: null }), {
    connections: 0,
    pipesPerWorker: 0,
    udpSessions: 19_904,
  });
});

Deno.test("capacity() stays within what memory can be had for, however many descriptors there may be", () => {
  // Containers often allow a thousand million.
  const most = {
    descriptors: 1_073_741_816,
    workers: 2,
    connections: "auto",
    udpSessions: Infinity,
  } as const;
  const { connections, udpSessions } = capacity(most);
  assert.ok(connections <= 1 << 20 && udpSessions <= 1 << 20, `${connections}, ${udpSessions}`);
  allocateMemory({ workers: 2, connections, udpSessions });
  assert.deepEqual(capacity({ ...most, descriptors: Number.MAX_SAFE_INTEGER }), capacity(most));
});
