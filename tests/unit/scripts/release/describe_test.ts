/** Descriptions of a release: options, commit, control files, checksums, manual. */
import assert from "node:assert/strict";
import { type Commit, refusal } from "../../../../scripts/lib/release/commit.ts";
import { textFile } from "../../../../scripts/lib/release/content/file.ts";
import { formatControl, formatMd5sums } from "../../../../scripts/lib/release/deb/control.ts";
import { formatIpkControl, listKernelPackages } from "../../../../scripts/lib/release/ipk/control.ts";
import { parseOptions } from "../../../../scripts/lib/release/options.ts";
import { formatSums } from "../../../../scripts/lib/release/sums.ts";

Deno.test("parseOptions() reads every option, and says what is wrong", () => {
  assert.deepEqual(parseOptions([]), { allowDirty: false, keepBuild: false });
  const all = ["--allow-dirty", "--keep-build", "--url", "https://example.org/v1/"];
  assert.deepEqual(parseOptions(all), { allowDirty: true, keepBuild: true, url: "https://example.org/v1" });
  assert.deepEqual(parseOptions(["--url=http://127.0.0.1:8000/a=b".replace("=b", "")]), {
    allowDirty: false,
    keepBuild: false,
    url: "http://127.0.0.1:8000/a",
  });
  assert.match(parseOptions(["--nope"]) as string, /no option --nope/);
  for (const url of ["ftp://x/", "https://x/'; rm -rf /", "https://x/ y", "https://x/$(id)"]) {
    assert.match(parseOptions(["--url", url]) as string, /--url wants/, url);
  }
  assert.match(parseOptions(["--url"]) as string, /--url wants/);
});

Deno.test("refusal() refuses what nobody could build again, and a tag of another version", () => {
  const commit: Commit = { id: "a".repeat(40), time: 1, changes: [], versionTags: [] };
  const options = { version: "0.1.0", allowDirty: false };
  assert.equal(refusal(commit, options), undefined);
  assert.equal(refusal({ ...commit, versionTags: ["v0.1.0"] }, options), undefined);
  assert.match(refusal({ ...commit, versionTags: ["v0.2.0"] }, options)!, /tagged v0\.2\.0/);
  const dirty = { ...commit, changes: [" M src/a.ts"] };
  assert.match(refusal(dirty, options)!, /--allow-dirty:\n {3}M src\/a\.ts$/);
  assert.equal(refusal(dirty, { ...options, allowDirty: true }), undefined);
});

const FILES = [textFile("usr/bin/tproxy", "x".repeat(1025)), textFile("usr/lib/tproxy/a", ""), {
  path: "usr/lib/tproxy/link",
  target: "a",
}];

Deno.test("formatControl() counts KiB as dpkg-gencontrol does", () => {
  const control = formatControl({ version: "1.2.3", architecture: "arm64", files: FILES });
  assert.match(control, /^Package: tproxy\nVersion: 1\.2\.3\nArchitecture: arm64\n/);
  // 2 for the program, 0 for the empty file, 1 for the link, 1 each for usr, usr/bin, usr/lib,
  // usr/lib/tproxy.
  assert.match(control, /^Installed-Size: 7$/m);
  assert.doesNotMatch(control, /^(Depends|Recommends|Pre-Depends):/m);
});

Deno.test("formatMd5sums() lists plain files", () => {
  assert.equal(formatMd5sums([textFile("a", ""), FILES[2]]), "d41d8cd98f00b204e9800998ecf8427e  a\n");
});

Deno.test("formatIpkControl() depends on OpenWrt's packages for what install needs", () => {
  assert.deepEqual(listKernelPackages(), [
    "kmod-nf-conntrack-netlink",
    "kmod-nfnetlink",
    "kmod-nfnetlink-log",
    "kmod-nft-core",
    "kmod-nft-fib",
    "kmod-nft-nat",
    "kmod-nft-socket",
    "kmod-nft-tproxy",
  ]);
  const control = formatIpkControl({ version: "1.2.3", architecture: "aarch64_generic", files: FILES });
  assert.match(control, /^Depends: kmod-nf-conntrack-netlink, kmod-nfnetlink, /m);
  assert.match(control, /^Architecture: aarch64_generic\nInstalled-Size: 1025$/m);
});

Deno.test("formatSums() writes what sha256sum writes, sorted", () => {
  const empty = new Uint8Array();
  assert.equal(
    formatSums(new Map([["b", empty], ["a", new TextEncoder().encode("a\n")], ["c", empty]])),
    `87428fc522803d31065e7bce3cf03fe475096631e5e07bbd7a0fde60c4cf25c7  a
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  c
`,
  );
});
