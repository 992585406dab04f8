import assert from "node:assert/strict";
import { readDomainLists } from "../../../../src/config/files/domain_lists.ts";
import { MAX_CONFIG_BYTES } from "../../../../src/config/files/plain.ts";
import { loadConfig, loadText } from "../../../../src/config/load.ts";
import { MAX_LIST_BYTES } from "../../../../src/names/list/read.ts";

const list = (key: string, path: string) => `rules: [{ action: block, ${key}: ${path} }]`;
const load = (path: string) => loadConfig({ path, readTextFile: () => assert.fail(`${path} is read`) });

/** Makes a file of so many bytes, which take no room, and a FIFO to which nobody writes. */
function inDirectory(work: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync({ prefix: "tproxy-plain-" });
  try {
    assert.ok(new Deno.Command("mkfifo", { args: [`${directory}/fifo`] }).outputSync().success);
    work(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function makeLarge(path: string, bytes: number): string {
  Deno.writeTextFileSync(path, "");
  Deno.truncateSync(path, bytes);
  return path;
}

Deno.test("what never ends is no config", () => {
  inDirectory((directory) => {
    for (const path of ["/dev/zero", `${directory}/fifo`]) {
      assert.throws(() => load(path), {
        message: `Cannot read config "${path}": it is not a plain file`,
        usage: true,
      });
    }
  });
});

Deno.test("a config that is too large is not read", () => {
  inDirectory((directory) => {
    const path = makeLarge(`${directory}/large`, MAX_CONFIG_BYTES + 1);
    assert.throws(() => load(path), { message: `Cannot read config "${path}": it is larger than 16 MiB` });
  });
});

Deno.test("a pipe that the shell has made is a config", () => {
  for (const path of ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/3"]) {
    const { config } = loadConfig({ path, readTextFile: () => "listener: { port: 7 }" });
    assert.equal(config.listener.port, 7);
  }
});

Deno.test("lists are not read from what never ends", () => {
  assert.throws(
    () => loadText(list("from-file", "/dev/zero"), "f"),
    /^OperationError: f:1:37: rules\[0\]\.from-file: cannot read \/dev\/zero: it is not a plain file$/,
  );
  assert.throws(
    () => readDomainLists(loadText(list("domains-file", "/dev/zero"), "f"), Deno.readFileSync),
    /^OperationError: f:1:26: rules\[0\]\.domains-file: cannot read \/dev\/zero: it is not a plain file$/,
  );
});

Deno.test("lists that are too large are not read", () => {
  inDirectory((directory) => {
    const path = makeLarge(`${directory}/large`, MAX_LIST_BYTES + 1);
    const unread = () => assert.fail(`${path} is read`);
    for (
      const read of [
        () => loadText(list("from-file", path), "f", unread),
        () => readDomainLists(loadText(list("domains-file", path), "f"), unread),
      ]
    ) {
      assert.throws(read, /it is larger than 64 MiB$/);
    }
  });
});
