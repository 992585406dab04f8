/**
 * Files beside the config that have changed since it came into force: lists of names, passwords. Pure.
 * @module
 */
import { compareKeys } from "../../net/ranges.ts";
import type { UsableConfig } from "./generation.ts";

/** The files of two configs. */
type Files = Pick<UsableConfig, "lists" | "secrets">;

/** Lists lists by their paths, and passwords by their keys, where both configs have them. */
export function changedFiles(inForce: Files, next: Files): string[] {
  const lists = [...next.lists].filter(([path, digest]) => (inForce.lists.get(path) ?? digest) !== digest);
  const secrets = [...next.secrets].filter(([name, secret]) => {
    const before = inForce.secrets.get(name)?.reveal();
    const now = secret.reveal();
    return before !== undefined && (before.length !== now.length || compareKeys(before, now) !== 0);
  });
  return [...lists.map(([path]) => path), ...secrets.map(([name]) => `upstreams.${name}.password-file`)];
}
