/** `tproxy man` before the programs that set and judge manual pages. */
import assert from "node:assert/strict";
import { print } from "../../laboratory/machine/print.ts";
import { runProgram } from "../../laboratory/program.ts";
import { tproxyCommand } from "../../laboratory/proxy/proxy.ts";

/** Program by program, and the words with which it reads a page. */
const JUDGES: Readonly<Record<string, readonly string[]>> = {
  mandoc: ["-T", "lint"],
  man: ["--warnings", "-E", "UTF-8", "-l"],
};

for (const [judge, words] of Object.entries(JUDGES)) {
  const name = `man writes a page that ${judge} has nothing to say about`;
  const obstacle = isInstalled(judge) ? undefined : `needs ${judge} (scripts/test installs it)`;
  if (obstacle !== undefined) print(`skipped: ${name}: ${obstacle}`);
  Deno.test({
    name,
    ignore: obstacle !== undefined,
    async fn() {
      const { stdout: page } = await runProgram([...tproxyCommand(), "man"]);
      assert.equal((await judgePage(judge, words, page)).complaints, "");
      // A mistake is found.
      assert.notEqual((await judgePage(judge, words, page.replace(".SS run\n", ".XX run\n"))).complaints, "");
    },
  });
}

Deno.test({
  name: "man sets options so that they can be copied, and lines that stand as they are",
  ignore: !isInstalled("man"),
  async fn() {
    const { stdout: page } = await runProgram([...tproxyCommand(), "man"]);
    const { text } = await judgePage("man", JUDGES.man, page);
    for (
      const line of [
        /^ +-c, --config FILE$/m,
        /^ +tproxy install --dry-run > rules\.sh$/m,
        /^ +kernel\.mark: 0x1$/m,
        /^ +\/etc\/tproxy\/tproxy\.yaml$/m,
      ]
    ) assert.match(text, line);
  },
});

async function judgePage(judge: string, words: readonly string[], page: string) {
  const path = Deno.makeTempFileSync({ prefix: "tproxy-man-", suffix: ".8" });
  try {
    Deno.writeTextFileSync(path, page);
    const env = { MANPAGER: "cat", MANWIDTH: "100", LC_ALL: "C.UTF-8" };
    const { stdout, stderr } = await runProgram([judge, ...words, path], { env, mayFail: true });
    return judge === "mandoc"
      ? { text: "", complaints: stdout + stderr }
      : { text: stdout, complaints: stderr };
  } finally {
    Deno.removeSync(path);
  }
}

function isInstalled(program: string): boolean {
  try {
    return Deno.statSync(`/usr/bin/${program}`).isFile;
  } catch {
    return false;
  }
}
