/**
 * Starts the successor of a proxy, and waits until it runs, or has come to nothing.
 * @module
 */
import { TAKES_OUTPUT, TAKES_OVER } from "../../constants.ts";
import { isObject, parseJson } from "../control/shape.ts";
import { askControl } from "../../daemon/control/client.ts";
import { inGroupsOf } from "./cgroup.ts";
import type { Program } from "./file.ts";
import type { FormerProxy } from "./former.ts";

/** Milliseconds between two looks; and those after which a successor that does nothing is ended. */
const LOOK_MS = 100;
const PATIENCE_MS = 120_000;

/** A successor that runs: its state as `tproxy status --json` has it. Else its exit code. */
export type Outcome = { readonly state: Record<string, unknown> } | { readonly code: number };

/**
 * Starts it with the words and in the surroundings of the former proxy. `say` is given what it writes until
 * it has taken over; from then on it writes where that one has written.
 */
export async function startSuccessor(
  { command, args }: Program,
  former: FormerProxy,
  { control, say }: { readonly control: string; readonly say: (text: string) => void },
): Promise<Outcome> {
  const [program, ...words] = [...former.entrance, command, ...args, ...former.words];
  const child = inGroupsOf(former.pid, () =>
    new Deno.Command(program, {
      args: words,
      cwd: former.directory,
      clearEnv: true,
      env: { ...former.environment, [TAKES_OVER]: control, [TAKES_OUTPUT]: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true,
    }).spawn());
  child.unref();
  let ended: number | undefined;
  child.status.then(({ code }) => void (ended = code));
  passOn(child.stderr, say);
  for (let waited = 0; waited < PATIENCE_MS && ended === undefined; waited += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const state = await readState(control);
    if (state?.pid === child.pid && state.phase === "running") return { state };
  }
  if (ended === undefined) child.kill("SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS)); // its last words are on their way
  return { code: ended ?? 1 };
}

/** Asks the proxy that runs for its state; undefined: none answers now. */
export async function readState(control: string): Promise<Record<string, unknown> | undefined> {
  try {
    const reply = await askControl(control, { method: "GET", target: "/v1/status" });
    const state = reply === undefined ? undefined : parseJson(reply.text);
    return isObject(state) ? state : undefined;
  } catch {
    return undefined; // the one before parts with the place, the next one takes it
  }
}

async function passOn(stream: ReadableStream<Uint8Array>, say: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  try {
    for await (const bytes of stream) say(decoder.decode(bytes, { stream: true }));
  } catch {
    // It writes elsewhere from now on.
  }
}
