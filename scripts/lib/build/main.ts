/**
 * `scripts/build`, in one of its ways.
 * @module
 */
import { compileProduct } from "./compile.ts";
import { makePacked } from "./packed.ts";
import { runBuild } from "./run.ts";

runBuild(Deno.args[0] === "compile" ? compileProduct : makePacked);
