/**
 * `tproxy config example` and `tproxy config schema`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import type { Command } from "../command.ts";

const parser = object({
  what: argument(choice(["example", "schema"], { metavar: "WHAT" }), {
    description:
      message`${"example"}, a config with every key, its default and unit, or ${"schema"}, a JSON Schema for editors.`,
  }),
});

/** The command. */
export const configCommand: Command<InferValue<typeof parser>> = {
  name: "config",
  summary: "Print an example config with every key, or a JSON Schema",
  examples: ["config example > /etc/tproxy/tproxy.yaml", "config schema > tproxy.schema.json"],
  changesState: false,
  parser,
  async run(env, { what }) {
    if (what === "example") {
      const { EXAMPLE_CONFIG } = await import("../../config/example.ts");
      env.stdout(EXAMPLE_CONFIG);
    } else {
      const { configJsonSchema } = await import("../../config/schema/json_schema.ts");
      env.stdout(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    }
    return 0;
  },
};
