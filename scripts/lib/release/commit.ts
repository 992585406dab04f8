/**
 * The commit that is released.
 * @module
 */
import { PROJECT } from "../build/project.ts";
import { run } from "../build/run.ts";

/** The commit, as git describes it. */
export interface Commit {
  readonly id: string;
  /** Seconds since 1970 when it was committed: the time of everything that is made of it. */
  readonly time: number;
  /** Files that differ from it, as `git status --short` prints them. */
  readonly changes: readonly string[];
  /** Tags of it that name a version: `v0.1.0`. */
  readonly versionTags: readonly string[];
}

/** Reads the commit of the work tree. */
export function readCommit(): Commit {
  const [id, time] = git("log", "-1", "--format=%H %ct").trim().split(" ");
  return {
    id,
    time: Number(time),
    changes: git("status", "--short").split("\n").filter((line) => line !== ""),
    versionTags: git("tag", "--points-at", "HEAD", "--list", "v[0-9]*").split("\n").filter((line) =>
      line !== ""
    ),
  };
}

/** Returns the reason not to release this commit, or undefined. Pure. */
export function refusal(
  commit: Commit,
  options: { version: string; allowDirty: boolean },
): string | undefined {
  const { changes, versionTags } = commit;
  if (changes.length > 0 && !options.allowDirty) {
    return "The work tree differs from the commit, so nobody could build the same again. " +
      `Commit the changes, or use --allow-dirty:\n${changes.map((line) => `  ${line}\n`).join("")}`.trimEnd();
  }
  const other = versionTags.find((tag) => tag !== `v${options.version}`);
  if (other !== undefined) {
    return `The commit is tagged ${other}, but deno.json says version ${options.version}`;
  }
}

/** A container's checkout may belong to another user than the one who runs there. */
function git(...args: string[]): string {
  return run("git", ["-c", `safe.directory=${PROJECT}`, ...args]);
}
