/**
 * The outcome of a reload, for who has asked for it.
 * @module
 */
import type { ControlReply } from "../../daemon/control/client.ts";
import type { ReloadAnswer } from "../../daemon/control/routes/reload.ts";
import { OperationError } from "../../net/error.ts";
import type { Env } from "../env.ts";
import { errorOf } from "./proxy.ts";
import { isObject, parseJson } from "./shape.ts";

const EXIT_CODES: Readonly<Record<ReloadAnswer["state"], number>> = {
  adopted: 0,
  "bad-config": 2,
  failed: 1,
  ending: 1,
};

/** Writes it. Returns the exit code. Throws an OperationError where the answer is none of a reload. */
export function writeOutcome(
  env: Pick<Env, "stdout" | "stderr">,
  reply: ControlReply,
  asJson: boolean,
): number {
  const outcome = readAnswer(reply);
  if (asJson) env.stdout(`${JSON.stringify(outcome, null, 2)}\n`);
  else env.stdout(outcome.state === "adopted" ? wordAdopted(outcome) : "");
  if (!asJson && outcome.state !== "adopted") {
    for (const reason of outcome.reasons) env.stderr(`${reason}\n`);
    env.stderr(`tproxy: not reloaded: generation ${outcome.generation} stays in force\n`);
  }
  if (!asJson && outcome.state === "adopted") {
    for (const warning of outcome.warnings) env.stderr(`tproxy: warning: ${warning}\n`);
  }
  return EXIT_CODES[outcome.state];
}

function wordAdopted(outcome: Extract<ReloadAnswer, { state: "adopted" }>): string {
  const { generation, config, changed, difference } = outcome;
  const head = `reloaded: generation ${generation} is in force, of ${config}\n`;
  if (changed.length === 0) return `${head}  nothing has changed\n`;
  // Files that have other contents, and keys that say the same in other words, have no line of their own.
  const others = changed.filter((key) => key.startsWith("/") || key.endsWith(".password-file"));
  const lines = [...difference, ...others.map((file) => `${file}: other contents`)];
  return `${head}${(lines.length > 0 ? lines : changed).map((line) => `  ${line}\n`).join("")}`;
}

function readAnswer({ status, text }: ControlReply): ReloadAnswer {
  const answer = parseJson(text);
  if (isObject(answer) && "state" in answer) return answer as unknown as ReloadAnswer;
  const reason = errorOf(text) ?? `it answers ${status}`;
  throw new OperationError({ operation: "reload", object: "the proxy", reason });
}
