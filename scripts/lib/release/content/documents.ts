/**
 * Documents of a Debian package: manual, completions, example, changelog, copyright, and the reasons why
 * lintian's objections do not count.
 * @module
 */
import { gzip } from "../archive/compress.ts";
import { ENTRIES, PROJECT } from "../../build/project.ts";
import { run } from "../../build/run.ts";
import { type PackageFile, textFile } from "./file.ts";

/** Directories in which each shell looks for completions of packages. */
const COMPLETIONS = {
  bash: "usr/share/bash-completion/completions/tproxy",
  zsh: "usr/share/zsh/vendor-completions/_tproxy",
  fish: "usr/share/fish/vendor_completions.d/tproxy.fish",
} as const;

/** Facts that the documents name. */
export interface DocumentFacts {
  readonly version: string;
  readonly commit: string;
  /** Seconds since 1970. */
  readonly time: number;
}

/** Makes the documents; the program of this work tree is asked for those that it can print. */
export async function makeDocuments(facts: DocumentFacts): Promise<PackageFile[]> {
  const doc = "usr/share/doc/tproxy";
  return [
    ...Object.entries(COMPLETIONS).map(([shell, path]) => textFile(path, ask({}, "completion", shell))),
    await compressed("usr/share/man/man8/tproxy.8.gz", ask({ SOURCE_DATE_EPOCH: `${facts.time}` }, "man")),
    await compressed(`${doc}/changelog.gz`, formatChangelog(facts)),
    textFile(`${doc}/examples/tproxy.yaml`, ask({}, "config", "example")),
    textFile(`${doc}/copyright`, readNear("../deb/copyright")),
    textFile("usr/share/lintian/overrides/tproxy", readNear("../deb/lintian-overrides")),
  ];
}

function readNear(path: string): string {
  return Deno.readTextFileSync(new URL(path, import.meta.url));
}

/** See deb-changelog(5). */
function formatChangelog({ version, commit, time }: DocumentFacts): string {
  const date = new Date(time * 1000).toUTCString().replace("GMT", "+0000");
  return `tproxy (${version}) unstable; urgency=medium

  * Made of commit ${commit}.

 -- The tproxy authors <tproxy@tproxy.invalid>  ${date}
`;
}

async function compressed(path: string, text: string): Promise<PackageFile> {
  return { path, mode: 0o644, content: await gzip(new TextEncoder().encode(text)) };
}

/** Asks the program; its lines are as long as they are without a terminal. */
function ask(env: Record<string, string>, ...args: string[]): string {
  const words = ["run", "-A", "--quiet", "--no-prompt", `${PROJECT}/${ENTRIES["tproxy.js"]}`, ...args];
  return run(Deno.execPath(), words, { env });
}
