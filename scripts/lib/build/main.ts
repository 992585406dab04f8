/**
 * `scripts/build`: the products for the wanted targets, in the wanted forms.
 * @module
 */
import { checkBuild } from "./proof/check.ts";
import { compileProduct } from "./compile.ts";
import { gatherIngredients } from "./ingredients/ingredients.ts";
import { makeImage } from "./forms/image.ts";
import { writeInstalled } from "./forms/installed.ts";
import { type BuildOptions, parseBuildOptions } from "./options.ts";
import { makePacked } from "./forms/packed.ts";
import { imagePath, installedPath, productPath, PROJECT } from "./project.ts";
import { finish } from "./proof/prove.ts";
import { runBuild, say } from "./run.ts";
import { HOST } from "./target.ts";

function build({ targets, forms }: BuildOptions): void {
  Deno.mkdirSync(`${PROJECT}/dist`, { recursive: true });
  for (const target of targets) {
    const ingredients = gatherIngredients(target);
    for (const form of forms) {
      switch (form) {
        case "packed":
          finish(target, productPath(target), makePacked(ingredients));
          break;
        case "image":
          finish(target, imagePath(target), makeImage(ingredients));
          break;
        case "installed":
          writeInstalled(ingredients, installedPath(target));
          break;
        default:
          return form satisfies never;
      }
    }
    // The name under which this machine's product is known.
    if (target === HOST && forms.includes("packed")) {
      Deno.copyFileSync(productPath(target), `${PROJECT}/dist/tproxy.new`);
      Deno.renameSync(`${PROJECT}/dist/tproxy.new`, `${PROJECT}/dist/tproxy`);
    }
  }
}

const options = parseBuildOptions(Deno.args);
if (options === undefined) {
  say(
    `scripts/build: there is nothing to build that is called: ${
      Deno.args.join(" ")
    }; see scripts/build --help`,
  );
  Deno.exit(2);
}
runBuild(() =>
  options.way === "compile" ? compileProduct() : options.check ? checkBuild(options) : build(options)
);
