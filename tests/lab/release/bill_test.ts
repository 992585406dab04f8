/** The bill of materials before CycloneDX's own schema, which comes with its library for JavaScript. */
import assert from "node:assert/strict";
import { exists } from "../../../scripts/lib/build/disk.ts";
import { TARGETS } from "../../../scripts/lib/build/target.ts";
import { makeBill } from "../../../scripts/lib/release/sbom/bill.ts";
import { print } from "../../laboratory/machine/print.ts";
import { runProgram } from "../../laboratory/program.ts";
import { TIME } from "./stand_in.ts";

/**
 * The library, and what it needs to judge JSON. Not among the project's dependencies: only this test wants
 * it.
 */
const PACKAGES = [
  "@cyclonedx/cyclonedx-library@10.3.0",
  "ajv@8.17.1",
  "ajv-formats@3.0.1",
  "ajv-formats-draft2019@1.6.1",
];
const HOME = new URL("../../../.cache/cyclonedx-10.3.0", import.meta.url).pathname;
const JUDGE = `
const { Validation } = require("@cyclonedx/cyclonedx-library");
let text = "";
process.stdin.on("data", (part) => text += part).on("end", async () => {
  const error = await new Validation.JsonStrictValidator("1.5").validate(text);
  process.stdout.write(error === null ? "valid" : JSON.stringify(error));
});`;

/** Brings the library from the npm registry, once; undefined, or why it cannot be had. */
async function bringLibrary(): Promise<string | undefined> {
  if (exists(`${HOME}/done`)) return undefined;
  try {
    print("Bringing CycloneDX's schema from the npm registry …");
    Deno.mkdirSync(HOME, { recursive: true });
    const flags = [
      "--silent",
      "--no-audit",
      "--no-fund",
      "--no-save",
      "--ignore-scripts",
      "--legacy-peer-deps",
    ];
    await runProgram(["npm", "install", ...flags, "--prefix", HOME, ...PACKAGES], { timeoutMs: 60_000 });
    Deno.writeTextFileSync(`${HOME}/done`, "");
  } catch (error) {
    return `npm cannot bring ${PACKAGES[0]}: ${(error as Error).message.split("\n")[0]}`;
  }
}

const obstacle = await bringLibrary();
if (obstacle !== undefined) print(`skipped: the bill of materials before its schema: ${obstacle}`);

async function judge(bill: string): Promise<string> {
  const { stdout } = await runProgram(["node", "-e", JUDGE], {
    input: bill,
    env: { NODE_PATH: `${HOME}/node_modules` },
  });
  return stdout;
}

Deno.test({
  name: "makeBill() is valid CycloneDX 1.5 for each architecture, and names what is inside",
  ignore: obstacle !== undefined,
  async fn() {
    const product = { version: "1.2.3", commit: "c0ffee", time: TIME, sha256: "0".repeat(64) };
    for (const target of TARGETS) {
      const bill = makeBill(target, product);
      assert.equal(await judge(bill), "valid");
      const names = JSON.parse(bill).components.map(({ name }: { name: string }) => name);
      for (const name of ["deno", "v8", "libc6", "libgcc-s1", "yaml", "valibot"]) {
        assert.ok(names.includes(name), name);
      }
    }
    const broken = JSON.parse(makeBill(TARGETS[0], product));
    broken.components[0].type = "thing";
    assert.notEqual(await judge(JSON.stringify(broken)), "valid");
  },
});
