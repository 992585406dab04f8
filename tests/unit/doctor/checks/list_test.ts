/** The list of checks: nobody has to wire one. */
import assert from "node:assert/strict";
import { CHECKS } from "../../../../src/doctor/checks/list.ts";

const FOLDER = new URL("../../../../src/doctor/checks/", import.meta.url);

Deno.test("CHECKS has every check of the folder, each once", () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) => name !== "list.ts");
  assert.deepEqual(
    CHECKS.map(({ id }) => `${id.replaceAll("-", "_")}.ts`).toSorted(),
    files.toSorted(),
  );
});

Deno.test("CHECKS without /proc are few: others would misread the machine", () => {
  const some = CHECKS.filter(({ withoutProcfs }) => withoutProcfs === true);
  assert.deepEqual(some.map(({ id }) => id), ["procfs", "kernel"]);
});
