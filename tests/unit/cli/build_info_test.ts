import assert from "node:assert/strict";
import { describeSource, formatVersion, readBuildInfo, readLicenses } from "../../../src/cli/build_info.ts";
import { VERSION } from "../../../src/cli/version.ts";

/** A program that scripts/build has put into a directory with these files. */
function built(files: Record<string, string>): (path: string) => string {
  return (path) => {
    const name = path.split("/").at(-1)!;
    if (!Object.hasOwn(files, name)) throw new Deno.errors.NotFound(path);
    return files[name];
  };
}

Deno.test("readBuildInfo() tells the commit that scripts/build has noted", () => {
  const info = readBuildInfo(built({ "build.json": '{"version":"0.1.0","commit":"0123456789ab-dirty"}' }));
  assert.equal(info.commit, "0123456789ab-dirty");
  assert.equal(
    formatVersion(info),
    `tproxy ${VERSION} (commit 0123456789ab-dirty, ${Deno.build.arch})`,
  );
});

Deno.test("readBuildInfo() tells a program that was not built, and one built outside of git", () => {
  assert.match(formatVersion(readBuildInfo(built({}))), /\(from source, /);
  assert.equal(readBuildInfo(built({ "build.json": "{}" })).commit, "unknown");
});

Deno.test("readLicenses() gives the product's text, and nothing for a program that was not built", () => {
  assert.equal(readLicenses(built({ "licenses.txt": "MIT" })), "MIT");
  assert.equal(readLicenses(built({})), undefined);
});

Deno.test("describeSource() names the packages of deno.json, and gives the license of the sources", () => {
  const text = describeSource((path) => Deno.readTextFileSync(path));
  const { imports } = JSON.parse(Deno.readTextFileSync(new URL("../../../deno.json", import.meta.url)));
  for (const specifier of Object.values<string>(imports)) {
    assert.ok(text.includes(specifier.slice("npm:".length)));
  }
  assert.match(text, /MIT License/);
});
