/**
 * The executable.
 * @module
 */
import { main } from "./main.ts";
import { systemEnv } from "./system_env.ts";
import { TABLE } from "./table.ts";

if (import.meta.main) Deno.exit(await main(systemEnv(import.meta.url), TABLE));
