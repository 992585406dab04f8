/**
 * `tproxy reload`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { flag } from "@optique/core/primitives";
import { configFileOption } from "../arguments/config_option.ts";
import type { Command } from "../command.ts";
import { findControl } from "../control/find.ts";

/** A million names take a second; a worker that does not answer is waited for. */
const PATIENCE_MS = 120_000;
/** A proxy that does not answer this at once will not reload either. */
const GREETING = { method: "GET", target: "/v1/status" } as const;

const parser = object({
  config: configFileOption,
  json: optional(flag("--json", { description: message`Print JSON.` })),
});

/** The command. */
export const reloadCommand: Command<InferValue<typeof parser>> = {
  name: "reload",
  summary: "Have a running proxy take its config over, and show what has changed",
  details: [
    "The proxy reads the file that it was started with, checks all of it, and puts it into force whole: rules in the kernel and in the proxy, " +
    "lists of names and networks, passwords. Connections that exist go on. It is asked by its control socket, whose path is read from " +
    "the same config; SIGHUP does the same without an answer.",
    "The exit code is 0 if the config is in force; 2 if it is wrong, with FILE:LINE:COLUMN, or has changed what only a restart takes over; 1 if the " +
    "kernel or the machine refuses; 3 if no proxy answers. With 1 and 2 the config that was in force stays in force, whole.",
    "JSON: { version, state: adopted | bad-config | failed | ending, generation, config?, changed?, difference?, warnings?, reasons? }.",
  ],
  examples: ["reload", "reload -c ./tproxy.yaml --json"],
  changesState: true,
  parser,
  async run(env, { config, json }) {
    const path = await findControl(env, config);
    const { askAny, sayNoAnswer } = await import("../control/proxy.ts");
    const question = { method: "POST", target: "/v1/reload", body: "{}", patienceMs: PATIENCE_MS } as const;
    const reply = await askAny(path, GREETING) && await askAny(path, question);
    if (reply === undefined) return sayNoAnswer(env, path, "; SIGHUP has it reload without an answer");
    const { writeOutcome } = await import("../control/reload_outcome.ts");
    return writeOutcome(env, reply, json === true);
  },
};
