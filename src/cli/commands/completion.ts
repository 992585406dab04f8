/**
 * `tproxy completion SHELL`. Its script asks complete.ts for the answers.
 * @module
 */
import { bash, fish, type ShellCompletion, zsh } from "@optique/core/completion";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import type { Command } from "../command.ts";

/** The shells that a script can be had for. */
export const SHELLS: Readonly<Record<string, ShellCompletion>> = { bash, zsh, fish };

const parser = object({
  shell: argument(choice(["bash", "zsh", "fish"], { metavar: "SHELL" }), {
    description: message`The shell to complete in: bash, zsh or fish.`,
  }),
});

/** The command. */
export const completionCommand: Command<InferValue<typeof parser>> = {
  name: "completion",
  summary: "Print a script that completes commands and options in a shell",
  examples: [
    "completion bash > /etc/bash_completion.d/tproxy",
    "completion zsh > /usr/local/share/zsh/site-functions/_tproxy",
    "completion fish > ~/.config/fish/completions/tproxy.fish",
  ],
  changesState: false,
  parser,
  run(env, { shell }) {
    env.stdout(SHELLS[shell].generateScript("tproxy", ["completion", shell]));
    return 0;
  },
};
