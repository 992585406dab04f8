/**
 * `tproxy completion SHELL`. Its script asks back, see completing/complete.ts.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { SHELLS } from "../completing/shells.ts";
import type { Command } from "../command.ts";

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
