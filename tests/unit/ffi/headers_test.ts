/**
 * Every size, offset and constant of ffi/ against the C headers of both processors: a program that Debian's
 * compilers build says what these are. That of the other processor runs in qemu-user.
 */
import assert from "node:assert/strict";
import { print } from "../../laboratory/machine/print.ts";
import * as errors from "../../../src/net/errno.ts";
import { findMachine, type Machine, MACHINES } from "./support/machines.ts";

const FFI = new URL("../../../ffi/", import.meta.url);
const SOURCE = new URL("headers/layout.c", import.meta.url).pathname;
/** Room that is taken for any address, no size of C's. */
const OURS = ["SOCKADDR_SIZE"];

type Values = Record<string, number>;

/**
 * The exports of a module that imports nothing, as another processor sees them: `MMSGHDR_WORD.name` for one
 * inside another.
 */
async function readExports(name: string, arch: string): Promise<Values> {
  // The caller adds constants that it passes on of another module.
  const text = Deno.readTextFileSync(new URL(name, FFI)).replace(/^export \{[^}]*\} from .*;$/m, "");
  assert.ok(!/^import /m.test(text), `${name} imports something`);
  const code = text.replaceAll("Deno.build.arch", JSON.stringify(arch));
  const values = await import(`data:application/typescript,${encodeURIComponent(code)}`);
  return Object.fromEntries(flatten(values));
}

function flatten(values: object, prefix = ""): [string, number][] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === "object" ? flatten(value, `${prefix}${name}.`) : [[prefix + name, Number(value)]]
  );
}

/** Asks the headers for the values of some constants and of the structs. */
async function askHeaders(machine: Machine, constants: readonly string[]): Promise<Values> {
  const directory = await Deno.makeTempDir({ prefix: "tproxy-headers-" });
  try {
    const list = constants.map((name) => `  CONSTANT(${name})\n`).join("");
    await Deno.writeTextFile(`${directory}/constants.h`, list);
    const program = `${directory}/layout`;
    const warnings = ["-Wall", "-Wextra", "-Werror"];
    await run([machine.compiler, ...warnings, "-static", `-I${directory}`, "-o", program, SOURCE]);
    const lines = (await run([...machine.emulator, program])).trim().split("\n");
    return Object.fromEntries(
      lines.map((line) => line.split(" ")).map(([name, value]) => [name, Number(value)]),
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The errors that src/net/errno.ts has as constants. */
function errorNumbers(): Values {
  return Object.fromEntries(
    Object.entries(errors).filter(([, value]) => typeof value === "number"),
  ) as Values;
}

async function run([command, ...args]: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  assert.ok(success, `${command}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

for (const arch of MACHINES) {
  const machine = findMachine(arch);
  const name = `ffi/layout.ts, ffi/consts.ts and src/net/errno.ts say what the C headers of ${arch} say`;
  if (typeof machine === "string") print(`skipped: ${name}: ${machine}`);
  Deno.test({
    name,
    ignore: typeof machine === "string",
    fn: async () => {
      const constants = { ...await readExports("consts.ts", arch), ...errorNumbers() };
      const layout = {
        ...await readExports("layout.ts", arch),
        ...await readExports("epoll_layout.ts", arch),
      };
      for (const name of OURS) delete layout[name];
      const told = await askHeaders(machine as Machine, Object.keys(constants));
      assert.deepEqual(told, { ...layout, ...constants });
    },
  });
}

Deno.test("an address of any family fits into the room that is taken for it", async () => {
  const layout = await readExports("layout.ts", Deno.build.arch);
  const largest = Math.max(layout.SOCKADDR_IN_SIZE, layout.SOCKADDR_IN6_SIZE, layout.SOCKADDR_NL_SIZE);
  assert.ok(layout.SOCKADDR_SIZE >= largest);
});
