/**
 * The running proxy, as commands ask it by its control socket.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { askControl, type ControlQuestion, openControl } from "../../daemon/control/client.ts";
import { ResponseReader } from "../../daemon/control/http/response.ts";
import { OperationError } from "../../net/error.ts";
import { oneLine } from "../../net/one_line.ts";
import type { Env } from "../env.ts";
import { isObject, parseJson } from "./shape.ts";

/** Exit code where no proxy answers, as the LSB has it for a service that does not run. */
export const NO_ANSWER = 3;

/** Says that no proxy answers, and returns the exit code. */
export function sayNoAnswer(env: Env, { config: { control } }: LoadedConfig): number {
  env.stderr(
    control === "off"
      ? "tproxy: no proxy can be asked: the config has control: off\n"
      : `tproxy: no proxy answers at ${control}: is one running, and with this config?\n`,
  );
  return NO_ANSWER;
}

/** Asks; undefined: nobody is there. Throws an OperationError where it is refused. */
export async function ask(
  { config: { control } }: LoadedConfig,
  question: ControlQuestion,
): Promise<string | undefined> {
  const reply = control === "off" ? undefined : await askControl(control, question);
  if (reply === undefined) return undefined;
  if (reply.status !== 200) throw refusal(control, reply.text);
  return reply.text;
}

/** Asks for lines; undefined: nobody is there. They throw an OperationError where it is refused. */
export async function askLines(
  { config: { control } }: LoadedConfig,
  question: ControlQuestion,
): Promise<AsyncGenerator<string> | undefined> {
  if (control === "off") return undefined;
  const reader = new ResponseReader();
  const parts = await openControl(control, question, reader);
  return parts === undefined ? undefined : linesOf(parts, (text) => {
    if (reader.status !== 200) throw refusal(control, text);
  });
}

async function* linesOf(
  parts: AsyncIterable<Uint8Array>,
  check: (text: string) => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of parts) {
    const text = decoder.decode(part, { stream: true });
    check(text);
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function refusal(control: string, text: string): OperationError {
  const value = parseJson(text);
  const reason = isObject(value) && typeof value.error === "string" ? oneLine(value.error) : "it refuses";
  return new OperationError({ operation: "ask the proxy at", object: control, reason });
}
