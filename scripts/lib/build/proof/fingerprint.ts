/**
 * Prints the ingredients of a product for this machine, as JSON: SHA-256 by name of the launcher and of each
 * file of the layers. Two builds of a commit agree in it. It leaves out compressing: xz with one thread and
 * mksquashfs without times make the same bytes of the same files (`scripts/build --check` looks at the
 * whole).
 * @module
 */
import { sha256 } from "../bytes.ts";
import { gatherIngredients } from "../ingredients/ingredients.ts";
import { runBuild } from "../run.ts";
import { HOST } from "../target.ts";

runBuild(() => {
  const { launcher, runtime, program } = gatherIngredients(HOST);
  const files = [runtime, program].flatMap(({ files }) =>
    files.map(({ name, content }) => [name, sha256(content)])
  );
  const fingerprint = Object.fromEntries([["launcher", sha256(launcher)], ...files]);
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(fingerprint)}\n`));
});
