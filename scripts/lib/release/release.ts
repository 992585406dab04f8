/**
 * Everything that is published of one commit.
 * @module
 */
import { megabytes, sha256 } from "../build/bytes.ts";
import { say } from "../build/run.ts";
import { TARGETS } from "../build/target.ts";
import { readBuild } from "./builds.ts";
import type { Commit } from "./commit.ts";
import { bootFiles } from "./content/boot.ts";
import { makeDocuments } from "./content/documents.ts";
import { formatInstaller } from "./installer/installer.ts";
import { makePackages } from "./packages.ts";
import { makeBill } from "./sbom/bill.ts";
import { formatSums } from "./sums.ts";

/** Makes the files of a release from dist/: bytes by name, SHA256SUMS among them. */
export async function makeRelease(
  options: { version: string; commit: Commit; url: string | undefined; dist?: string },
): Promise<Map<string, Uint8Array>> {
  const { version, commit: { id: commit, time }, url } = options;
  const builds = TARGETS.map((target) => readBuild(target, options.dist));
  const other = builds.find((build) => !commit.startsWith(build.commit.replace(/-dirty$/, "")));
  if (other !== undefined) {
    throw new Error(`dist/ was built of commit ${other.commit}, not of ${commit}: leave out --keep-build`);
  }
  const files = new Map<string, Uint8Array>();
  const putText = (name: string, text: string) => files.set(name, new TextEncoder().encode(text));
  const debian = [...bootFiles("systemd"), ...await makeDocuments({ version, commit, time })];
  const openWrt = bootFiles("openwrt");
  const sizes = { x86_64: 0, aarch64: 0 };
  await Promise.all(builds.map(async ({ target, single, image, installed }) => {
    const name = `tproxy-${version}-linux-${target.arch}`;
    files.set(name, single).set(`${name}-image`, image);
    sizes[target.arch] = single.length;
    putText(`${name}.cdx.json`, makeBill(target, { version, commit, time, sha256: sha256(single) }));
    const bytes = installed.reduce((sum, file) => sum + ("content" in file ? file.content.length : 0), 0);
    say(`Packing ${megabytes(bytes)} for ${target.arch}${bytes > 1e7 ? " (about a minute)" : ""} …`);
    const packages = await makePackages(target, { version, time, installed, debian, openWrt });
    for (const [name, content] of packages) files.set(name, content);
  }));
  const template = Deno.readTextFileSync(new URL("installer/install.sh", import.meta.url));
  putText("install.sh", formatInstaller(template, { version, url, sizes }));
  putText("SHA256SUMS", formatSums(files));
  return files;
}
