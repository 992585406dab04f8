import assert from "node:assert/strict";
import { parsePorts } from "../../../../src/cli/arguments/ports.ts";

Deno.test("parsePorts() reads a port, a range either way round, and the name of a service", () => {
  assert.deepEqual(parsePorts("80"), ["80"]);
  assert.deepEqual(parsePorts("20-23"), ["20", "21", "22", "23"]);
  assert.deepEqual(parsePorts("23-21"), ["21", "22", "23"]);
  assert.deepEqual(parsePorts("99-101"), ["99", "100", "101"]);
  assert.deepEqual(parsePorts("7-7"), ["7"]);
  assert.deepEqual(parsePorts("http-alt"), ["http-alt"]);
  assert.equal(parsePorts("1-65535").length, 65535);
});

Deno.test("parsePorts() names the number that is no port", () => {
  for (const [text, bad] of [["0", "0"], ["65536", "65536"], ["1-70000", "70000"], ["0-5", "0"]]) {
    assert.equal(parsePorts(text), `Port ${bad} is not between 1 and 65535`);
  }
});
