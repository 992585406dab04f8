/**
 * Boot files as a part of the shell script that `install --dry-run` prints. Pure.
 * @module
 */
import type { Argv, BootFile } from "./model.ts";
import { shellWord } from "./words.ts";

/** No line of a boot file is this. */
const END = "END_OF_FILE";

/** Commands of a POSIX shell that write the files and ask for the start at boot. */
export function renderBootScript(files: readonly BootFile[], commands: readonly Argv[]): string {
  return [
    "",
    "# The start at boot.",
    ...files.flatMap(({ path, mode, text }) => [
      `mkdir -p ${shellWord(path.slice(0, path.lastIndexOf("/")))}`,
      `cat > ${shellWord(path)} <<'${END}'`,
      `${text}${END}`,
      `chmod ${mode.toString(8)} ${shellWord(path)}`,
    ]),
    ...commands.map((argv) => argv.map(shellWord).join(" ")),
    "",
  ].join("\n");
}
