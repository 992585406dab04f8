/** The bill of materials. The laboratory has CycloneDX's own schema judge it. */
import assert from "node:assert/strict";
import { formatBill } from "../../../../scripts/lib/release/sbom/cyclonedx.ts";
import {
  fromIntegrity,
  type Ingredient,
  packageUrl,
} from "../../../../scripts/lib/release/sbom/ingredient.ts";
import { readLockedPackages } from "../../../../scripts/lib/release/sbom/lockfile.ts";
import { listRuntime } from "../../../../scripts/lib/release/sbom/runtime.ts";

const INTEGRITY = `sha512-${"A".repeat(86)}==`;
const PRODUCT = {
  version: "1.2.3",
  architecture: "x86_64",
  commit: "c0ffee",
  time: 0,
  sha256: "0".repeat(64),
};
const RUNTIME = listRuntime({
  deno: { name: "@deno/linux-x64-glibc", version: "2.9.6", integrity: INTEGRITY },
  v8: "14.0.0-rusty",
  debian: [
    { name: "libc6", version: "2.36-9+deb12u14", architecture: "amd64", sha256: "1".repeat(64) },
    { name: "liblzma-dev", version: "1:1.5+dfsg", architecture: "amd64", sha256: "2".repeat(64) },
  ],
});

Deno.test("readLockedPackages() reads every package of the project's lockfile", () => {
  const text = Deno.readTextFileSync(new URL("../../../../deno.lock", import.meta.url));
  const packages = readLockedPackages(text, () => "MIT");
  const { imports } = JSON.parse(Deno.readTextFileSync(new URL("../../../../deno.json", import.meta.url)));
  for (const name of Object.keys(imports)) {
    const found = packages.find((one) => one.name === name);
    assert.equal(`npm:${name}@${found?.version}`, imports[name]);
    assert.match(found!.sha512!, /^[0-9a-f]{128}$/);
  }
  assert.ok(packages.some((one) => packageUrl(one).startsWith("pkg:npm/%40optique/core@")));
});

Deno.test("readLockedPackages() follows dependencies, with and without a version", () => {
  const npm = {
    "a@1.0.0_peer@2": { integrity: INTEGRITY, dependencies: ["@s/b", "c@3.0.0"] },
    "@s/b@2.0.0": { integrity: INTEGRITY },
    "c@3.0.0": { integrity: INTEGRITY },
  };
  const [a, b] = readLockedPackages(JSON.stringify({ version: "5", npm }), () => "MIT");
  assert.deepEqual([a.name, a.version, a.needs], ["a", "1.0.0", ["@s/b", "c"]]);
  assert.equal(packageUrl(b), "pkg:npm/%40s/b@2.0.0");
  assert.throws(() => readLockedPackages('{"version":"6","npm":{}}', () => "MIT"), /version 6/);
});

Deno.test("fromIntegrity() takes SHA-512 alone", () => {
  assert.equal(fromIntegrity(INTEGRITY), "00".repeat(64));
  assert.throws(() => fromIntegrity("sha1-AAAA"), /Not a SHA-512/);
});

Deno.test("listRuntime() names Deno with what it needs, and refuses a package whose licence nobody has looked at", () => {
  assert.deepEqual(RUNTIME.map(({ name }) => name), ["deno", "v8", "libc6", "liblzma-dev"]);
  assert.equal(packageUrl(RUNTIME[3]), "pkg:deb/debian/liblzma-dev@1:1.5%2Bdfsg?arch=amd64&distro=debian-12");
  assert.deepEqual(RUNTIME[0].needs, ["v8", "libc6"]);
  const debian = [{ name: "libnew", version: "1", architecture: "amd64", sha256: "4".repeat(64) }];
  const deno = { name: "@deno/linux-x64-glibc", version: "2.9.6", integrity: INTEGRITY };
  assert.throws(() => listRuntime({ deno, v8: "14", debian }), /under which licence libnew/);
});

Deno.test("formatBill() is complete: each ingredient has a place in the graph, and nothing is in it twice", () => {
  const bill = JSON.parse(formatBill(PRODUCT, RUNTIME));
  const root = bill.metadata.component["bom-ref"];
  const refs = bill.components.map((component: { "bom-ref": string }) => component["bom-ref"]);
  assert.equal(refs.length, 4);
  const graph = new Map<string, string[]>(
    bill.dependencies.map((entry: { ref: string; dependsOn: string[] }) => [entry.ref, entry.dependsOn]),
  );
  assert.deepEqual([...graph.keys()].sort(), [root, ...refs].sort());
  const reached = new Set<string>();
  const visit = (ref: string): void => {
    if (reached.has(ref)) return;
    reached.add(ref);
    graph.get(ref)!.forEach(visit);
  };
  visit(root);
  assert.equal(reached.size, 5);
  assert.equal(bill.metadata.timestamp, "1970-01-01T00:00:00Z");
  assert.match(
    bill.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
});

Deno.test("formatBill() depends on the product alone", () => {
  const bill = formatBill(PRODUCT, RUNTIME);
  assert.equal(formatBill(PRODUCT, [...RUNTIME].reverse()), bill);
  const other = JSON.parse(formatBill({ ...PRODUCT, sha256: "f".repeat(64) }, RUNTIME));
  assert.notEqual(other.serialNumber, JSON.parse(bill).serialNumber);
  const orphan: Ingredient = { ...RUNTIME[1], name: "x", needs: ["nobody"] };
  assert.throws(() => formatBill(PRODUCT, [orphan]), /lacks nobody/);
});
