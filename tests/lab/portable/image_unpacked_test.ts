/**
 * The image form where it cannot be mounted: it unpacks like the packed form, and says why where that fails
 * too.
 * @module
 */
import assert from "node:assert/strict";
import { clean, fails, NOBODY, portableTest, works } from "../../laboratory/portable/product_copy.ts";
import { readPortable } from "../../laboratory/portable/portable.ts";
import { Program } from "../../laboratory/program.ts";
import { until } from "../../laboratory/machine/wait.ts";

/** The names of the two directories in the cache. */
function layerNames(file: string): string[] {
  return readPortable(file).lines.filter((line) => line.startsWith("layer ")).map((line) =>
    line.split(" ")[2]
  ).sort();
}

const NO_LOOP = "mount --bind /dev/null /dev/loop-control;";

portableTest("unpacks where there are no loop devices or no rights", async (copy) => {
  const start = "mount -t tmpfs none /var/cache; mount -t tmpfs -o mode=1777 none /tmp;";
  const names = layerNames(copy.file).join(" ");
  for (
    const [trick, place] of [
      [NO_LOOP, "/var/cache/tproxy"],
      ["export TPROXY_CACHE_DIR=/tmp/chosen;", "/tmp/chosen"],
      [`${NOBODY.join(" ")} env HOME=/nonexistent`, "/tmp/tproxy-65534"],
    ]
  ) {
    const outcome = await copy.runWithMounts(`${start} ${trick} $file --version; echo $(ls ${place})`);
    works(outcome);
    assert.equal(outcome.stdout.trim().split("\n")[1], names, trick);
  }
}, "image");

portableTest("says why it is not mounted where there is no room to unpack", async (copy) => {
  const small = ["/var/cache", "/tmp"].map((place) => `mount -t tmpfs -o size=20m,mode=1777 none ${place};`)
    .join(" ");
  const outcome = await copy.runWithMounts(`${small} ${NO_LOOP} HOME=/nonexistent $file --version`);
  fails(outcome, /cannot mount my image \(no loop device: .*\), and there is no place to unpack into:\n/);
  assert.match(outcome.stderr, /\/var\/cache\/tproxy: no room: 10\d MiB are needed, \d\d MiB are free/);
  assert.match(outcome.stderr, /\/tmp\/tproxy-0: no room/);
}, "image");

portableTest("unpacks once when eight start at the same time", async (copy) => {
  const starts = Array.from({ length: 8 }, () => copy.run([copy.file, "--version"]));
  for (const outcome of await Promise.all(starts)) works(outcome);
  assert.deepEqual(copy.cached(), layerNames(copy.file));
}, "image");

portableTest("starts again after it was killed while unpacking", async (copy) => {
  const program = new Program(clean([copy.file, "--version"], { TPROXY_CACHE_DIR: copy.cache }));
  await until(() => names(copy.cache).some((name) => name.startsWith(".unpack-")), {
    what: "unpacking",
    pollMs: 1,
  });
  await program.stop("SIGKILL");
  works(await copy.run([copy.file, "--version"]));
  assert.deepEqual(copy.cached(), layerNames(copy.file));
}, "image");

portableTest("unpacks nothing that is damaged", async (copy) => {
  const bytes = Deno.readFileSync(copy.file);
  bytes[bytes.length >> 1] ^= 1;
  Deno.writeFileSync(copy.file, bytes);
  fails(await copy.run([copy.file, "--version"]), /is damaged: the hash of its (runtime|program) is wrong/);
  assert.ok(copy.cached().every((name) => name.startsWith("program-")), copy.cached().join(" "));
}, "image");

function names(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)].map((entry) => entry.name);
  } catch {
    return [];
  }
}
