import assert from "node:assert/strict";
import { capacity, RESERVED_DESCRIPTORS } from "../../../src/dataplane/limits.ts";

Deno.test("capacity() never needs more descriptors than there are", () => {
  for (const descriptors of [256, 1024, 20_000, 1_048_576]) {
    for (const workers of [1, 2, 8]) {
      for (const wanted of ["auto", 0, 1, 100, 1e7] as const) {
        const { connections, pipesPerWorker } = capacity({ descriptors, workers, wanted });
        const needed = RESERVED_DESCRIPTORS + workers * 16 + connections * 2 + pipesPerWorker * workers * 2;
        assert.ok(
          needed <= descriptors,
          `${descriptors} descriptors, ${workers} workers, ${wanted}: ${needed}`,
        );
        assert.ok(connections >= 1 && pipesPerWorker >= 0);
        assert.ok(Number.isInteger(connections) && Number.isInteger(pipesPerWorker));
      }
    }
  }
});

Deno.test("capacity() takes the wanted number where it is possible, and cuts it where not", () => {
  assert.equal(capacity({ descriptors: 20_000, workers: 1, wanted: 500 }).connections, 500);
  const auto = capacity({ descriptors: 20_000, workers: 1, wanted: "auto" }).connections;
  assert.equal(auto, 7470);
  assert.equal(capacity({ descriptors: 20_000, workers: 1, wanted: 1e6 }).connections, auto);
  assert.equal(capacity({ descriptors: 20_000, workers: 1, wanted: 0 }).connections, auto, "0 is no limit");
});

Deno.test("capacity() allows one connection even with hardly any descriptors", () => {
  assert.deepEqual(capacity({ descriptors: 64, workers: 4, wanted: "auto" }), {
    connections: 1,
    pipesPerWorker: 0,
  });
});
