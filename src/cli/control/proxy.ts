/**
 * The running proxy, as commands ask it by its control socket.
 * @module
 */
import {
  askControl,
  type ControlQuestion,
  type ControlReply,
  openControl,
} from "../../daemon/control/client.ts";
import { ResponseReader } from "../../daemon/control/http/response.ts";
import { OperationError } from "../../net/error.ts";
import { oneLine } from "../../net/one_line.ts";
import type { Env } from "../env.ts";
import { NOBODY } from "./find.ts";
import { isObject, parseJson } from "./shape.ts";

/** Says that no proxy answers, and returns the exit code. `instead`: what helps where none can be asked. */
export function sayNoAnswer(env: Env, path: string, instead = ""): number {
  env.stderr(
    path === "off"
      ? `tproxy: no proxy can be asked: control is off in this config${instead}\n`
      : `tproxy: no proxy answers at ${path}; "tproxy run" starts one, and -c names the config of one that runs\n`,
  );
  return NOBODY;
}

/** Asks at a path, or at `off`, and returns whatever the answer is; undefined: nobody is there. */
export async function askAny(path: string, question: ControlQuestion): Promise<ControlReply | undefined> {
  return path === "off" ? undefined : await askControl(path, question);
}

/** Asks; undefined: nobody is there. Throws an OperationError where it is refused. */
export async function ask(path: string, question: ControlQuestion): Promise<string | undefined> {
  const reply = await askAny(path, question);
  if (reply === undefined) return undefined;
  if (reply.status !== 200) throw refusal(path, reply.text);
  return reply.text;
}

/** Asks for lines; undefined: nobody is there. They throw an OperationError where it is refused. */
export async function askLines(
  path: string,
  question: ControlQuestion,
): Promise<AsyncGenerator<string> | undefined> {
  if (path === "off") return undefined;
  const reader = new ResponseReader();
  const parts = await openControl(path, question, reader);
  return parts === undefined ? undefined : linesOf(parts, (text) => {
    if (reader.status !== 200) throw refusal(path, text);
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

function refusal(path: string, text: string): OperationError {
  const reason = errorOf(text) ?? "it refuses";
  return new OperationError({ operation: "ask the proxy at", object: path, reason });
}

/** Reads the reason that an answer gives; undefined: it gives none. */
export function errorOf(text: string): string | undefined {
  const value = parseJson(text);
  return isObject(value) && typeof value.error === "string" ? oneLine(value.error) : undefined;
}
