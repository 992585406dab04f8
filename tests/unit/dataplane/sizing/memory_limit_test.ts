import assert from "node:assert/strict";
import { readMemoryLimit } from "../../../../src/dataplane/sizing/memory_limit.ts";

const GB = 1024 ** 3;
const MEMINFO = "MemTotal:        1048576 kB\nMemFree:          5 kB\n";
const V2_MOUNT = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const V1_MOUNTS = "40 32 0:33 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n" +
  "41 32 0:34 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
  "42 32 0:35 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
const V1_NONE = "9223372036854771712\n";

function limitOf(files: Readonly<Record<string, string>>): ReturnType<typeof readMemoryLimit> {
  return readMemoryLimit((path) => {
    if (Object.hasOwn(files, path)) return files[path];
    throw new Deno.errors.NotFound(path);
  });
}

Deno.test("readMemoryLimit() without cgroups is the machine's memory", () => {
  assert.deepEqual(limitOf({ "/proc/meminfo": MEMINFO }), { bytes: GB, of: "machine" });
});

Deno.test("readMemoryLimit() where /proc tells nothing is undefined", () => {
  assert.equal(limitOf({}), undefined);
});

const V2 = {
  "/proc/meminfo": MEMINFO,
  "/proc/self/mountinfo": V2_MOUNT,
  "/proc/self/cgroup": "0::/system.slice/tproxy.service\n",
};

Deno.test("readMemoryLimit() of version 2: the cgroup's own limit", () => {
  const file = "/sys/fs/cgroup/system.slice/tproxy.service/memory.max";
  assert.deepEqual(limitOf({ ...V2, [file]: "134217728\n" }), { bytes: 134217728, of: "cgroup" });
  assert.deepEqual(limitOf({ ...V2, [file]: "max\n" }), { bytes: GB, of: "machine" });
  // More than there is says nothing.
  assert.deepEqual(limitOf({ ...V2, [file]: `${4 * GB}\n` }), { bytes: GB, of: "machine" });
});

Deno.test("readMemoryLimit() of version 2: the limits of all cgroups above, and memory.high", () => {
  const own = { "/sys/fs/cgroup/system.slice/tproxy.service/memory.max": "200000000\n" };
  const slice = { "/sys/fs/cgroup/system.slice/memory.max": "100000000\n" };
  const high = { "/sys/fs/cgroup/system.slice/tproxy.service/memory.high": "90000000\n" };
  assert.equal(limitOf({ ...V2, ...own, ...slice })?.bytes, 100000000);
  assert.equal(limitOf({ ...V2, ...own, ...slice, ...high })?.bytes, 90000000);
});

Deno.test("readMemoryLimit() of version 1, also beside an empty version 2", () => {
  const files = {
    "/proc/meminfo": MEMINFO,
    "/proc/self/mountinfo": V1_MOUNTS,
    "/proc/self/cgroup": "5:cpu,cpuacct:/elsewhere\n4:memory:/a/b\n0::/\n",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes": V1_NONE,
    "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "268435456\n",
  };
  const own = "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes";
  assert.deepEqual(limitOf({ ...files, [own]: V1_NONE }), { bytes: 268435456, of: "cgroup" });
  assert.deepEqual(limitOf({ ...files, [own]: "100663296\n" }), { bytes: 100663296, of: "cgroup" });
});

Deno.test("readMemoryLimit() in a container that sees its own cgroup as the mounted one", () => {
  const limit = { "/sys/fs/cgroup/memory.max": "134217728\n" };
  const mount = "29 23 0:26 /docker/4f /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  for (const path of ["/docker/4f", "/", "/../.."]) {
    const files = { ...V2, ...limit, "/proc/self/mountinfo": mount, "/proc/self/cgroup": `0::${path}\n` };
    assert.equal(limitOf(files)?.bytes, 134217728, path);
  }
  const below = {
    ...V2,
    ...limit,
    "/proc/self/mountinfo": mount,
    "/proc/self/cgroup": "0::/docker/4f/job\n",
  };
  assert.equal(limitOf({ ...below, "/sys/fs/cgroup/job/memory.max": "1000000\n" })?.bytes, 1000000);
});
