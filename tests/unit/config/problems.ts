import assert from "node:assert/strict";
import { ConfigError } from "../../../src/config/error.ts";
import { parseConfig } from "../../../src/config/load.ts";

/** The lines of the error that a config causes, without the file's name. */
export function problemsOf(text: string): string[] {
  try {
    parseConfig(text, "f.yaml");
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.ok(error.usage);
    return error.message.split("\n").map((line) => line.replace(/^f\.yaml:/, "").trim());
  }
  return [];
}
