/**
 * The shells that are completed in, with their scripts and the language that each script reads.
 * @module
 */
import { bash, fish, type ShellCompletion, zsh } from "@optique/core/completion";

/** By their names. */
export const SHELLS: Readonly<Record<string, ShellCompletion>> = { bash, zsh, fish };
