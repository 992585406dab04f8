/** A whole release, made of a dist/ with small files in the place of the program. */
import assert from "node:assert/strict";
import { sha256 } from "../../../scripts/lib/build/bytes.ts";
import { makeRelease } from "../../../scripts/lib/release/release.ts";
import { formatTable } from "../../../scripts/lib/release/table.ts";
import { runProgram } from "../../laboratory/program.ts";

const COMMIT = { id: "c0ffee", time: 1_700_000_000, changes: [], versionTags: [] };
const NAMES = [
  "SHA256SUMS",
  "install.sh",
  "tproxy-1.0.0-linux-aarch64",
  "tproxy-1.0.0-linux-aarch64-image",
  "tproxy-1.0.0-linux-aarch64.cdx.json",
  "tproxy-1.0.0-linux-x86_64",
  "tproxy-1.0.0-linux-x86_64-image",
  "tproxy-1.0.0-linux-x86_64.cdx.json",
  "tproxy_1.0.0_aarch64_cortex-a53.ipk",
  "tproxy_1.0.0_aarch64_cortex-a72.ipk",
  "tproxy_1.0.0_aarch64_cortex-a76.ipk",
  "tproxy_1.0.0_aarch64_generic.ipk",
  "tproxy_1.0.0_amd64.deb",
  "tproxy_1.0.0_arm64.deb",
  "tproxy_1.0.0_x86_64.ipk",
];

/** A directory like dist/, made by somebody with this umask. */
function makeDist(umask: number): string {
  const dist = Deno.makeTempDirSync({ prefix: "tproxy-dist-" });
  for (const architecture of ["x86_64", "aarch64"]) {
    const write = (path: string, mode: number) => {
      Deno.mkdirSync(`${dist}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.writeTextFileSync(`${dist}/${path}`, `${architecture} ${path}`);
      Deno.chmodSync(`${dist}/${path}`, mode & ~umask);
    };
    write(`tproxy-${architecture}`, 0o777);
    write(`tproxy-${architecture}-image`, 0o777);
    write(`installed-${architecture}/usr/bin/tproxy`, 0o777);
    write(`installed-${architecture}/usr/lib/tproxy/program/tproxy.js`, 0o666);
    const description = `installed-${architecture}/usr/lib/tproxy/program/build.json`;
    Deno.writeTextFileSync(`${dist}/${description}`, '{"version":"1.0.0","commit":"c0ff"}');
    Deno.chmodSync(`${dist}/${description}`, 0o666 & ~umask);
  }
  return dist;
}

Deno.test("makeRelease() makes every file, the same bytes whoever makes them, and sums that hold", async () => {
  const options = { version: "1.0.0", commit: COMMIT, url: "https://example.org/v1" };
  const [dist, other, out] = [
    makeDist(0o022),
    makeDist(0o077),
    Deno.makeTempDirSync({ prefix: "tproxy-release-" }),
  ];
  try {
    const files = await makeRelease({ ...options, dist });
    assert.deepEqual([...files.keys()].sort(), NAMES);
    const again = await makeRelease({ ...options, dist: other });
    for (const [name, bytes] of files) assert.equal(sha256(again.get(name)!), sha256(bytes), name);

    for (const [name, bytes] of files) Deno.writeFileSync(`${out}/${name}`, bytes);
    await runProgram(["sh", "-c", `cd "$0" && sha256sum --strict --quiet -c SHA256SUMS`, out]);
    const sums = new TextDecoder().decode(files.get("SHA256SUMS"));
    assert.equal(sums.split("\n").length - 1, NAMES.length - 1);

    const { stdout } = await runProgram(["dpkg-deb", "--fsys-tarfile", `${out}/tproxy_1.0.0_arm64.deb`]);
    assert.ok(stdout.includes("aarch64 installed-aarch64/usr/bin/tproxy"));
    const fields = ["--field", `${out}/tproxy_1.0.0_arm64.deb`, "Architecture", "Version"];
    const described = await runProgram(["dpkg-deb", ...fields]);
    assert.equal(described.stdout, "Architecture: arm64\nVersion: 1.0.0\n");
    const { stdout: ipk } = await runProgram([
      "sh",
      "-c",
      `tar -xzOf "$0" ./control.tar.gz | tar -xzO ./control`,
      `${out}/tproxy_1.0.0_aarch64_cortex-a53.ipk`,
    ]);
    assert.match(ipk, /^Architecture: aarch64_cortex-a53$/m);
    const script = new TextDecoder().decode(files.get("install.sh"));
    assert.match(script, /^base=\$\{TPROXY_URL:-'https:\/\/example\.org\/v1'\}$/m);
    assert.doesNotMatch(script, /@[A-Z_]+@/);
    // Each file says for whom it is.
    for (const line of formatTable(files).trimEnd().split("\n")) {
      assert.match(line, /^ *[0-9.]+ kB {2}\S+ {2,}\S/);
    }
  } finally {
    for (const directory of [dist, other, out]) Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("makeRelease() says what is missing, or of another commit", async () => {
  const dist = makeDist(0);
  try {
    const options = { version: "1.0.0", commit: COMMIT, url: undefined, dist };
    const later = { ...COMMIT, id: "decaf0" };
    await assert.rejects(makeRelease({ ...options, commit: later }), /built of commit c0ff, not of decaf0/);
    Deno.removeSync(`${dist}/tproxy-aarch64-image`);
    await assert.rejects(makeRelease(options), /are missing, scripts\/build .*: \S+\/tproxy-aarch64-image$/);
  } finally {
    Deno.removeSync(dist, { recursive: true });
  }
});
