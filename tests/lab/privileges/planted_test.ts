/** Code that root executes: no other user can put it there, the proxy's own least of all. */
import assert from "node:assert/strict";
import { portableTest } from "../../laboratory/portable/product_copy.ts";

/** A /run of its own, in which a proxy has run that root has started. */
const AFTER_A_RUN = "mount -t tmpfs -o mode=755 none /run; $stand_in run; ";

portableTest("leaves nothing in the cache that another user could write to", async (copy) => {
  // What everybody may write to, or another than root owns: files, their folders, and all above.
  const { stdout, stderr } = await copy.runWithMounts(
    `${AFTER_A_RUN} stat -c '%u' /run/tproxy
    find $TPROXY_CACHE_DIR ! -user root -o -perm /022 ! -type l
    at=$TPROXY_CACHE_DIR; while [ "$at" != / ]; do find $at -maxdepth 0 -perm /022 ! -perm -1000; at=$(dirname $at); done`,
    { TPROXY_CACHE_DIR: copy.cache },
  );
  assert.equal(stdout, "65080\n", stderr);
});

portableTest(
  "keeps compiled code apart: root never takes what the proxy's user could have written",
  async (copy) => {
    const { stdout, stderr } = await copy.runWithMounts(
      `${AFTER_A_RUN} stat -c '%u %a' /run/tproxy /run/tproxy/compiled
    RUNTIME_DIRECTORY=/run/tproxy $stand_in tell`,
      { TPROXY_CACHE_DIR: copy.cache },
    );
    const [folder, compiled, told] = stdout.split("\n");
    assert.deepEqual([folder, compiled], ["65080 750", "65080 700"], stderr);
    const { uid, environment } = JSON.parse(told);
    assert.equal(uid, 0);
    assert.doesNotMatch(environment.DENO_DIR, /^\/run\/tproxy\//);
  },
);

/** Starts the product as root with a config that is not there: it executes its program, and says so. */
const START = "$file run -c /nowhere.yaml 2>&1 || true";

portableTest(
  "executes nothing that a proxy before it has left where it keeps compiled code",
  async (copy) => {
    const { stdout, stderr } = await copy.runWithMounts(
      `mount -t tmpfs -o mode=755 none /run
    $file --version >/dev/null 2>&1
    ${START}
    echo --
    find /run/tproxy/compiled -name v8_code_cache_v2 | while read -r code; do
      chown 0 $code; sed -i 's/privileges/privilegeX/g' $code; chown 65080:65080 $code
      grep -c privilegeX $code
    done
    echo --
    ${START}
    grep -rlc privilegeX /run/tproxy/compiled || true`,
      { TPROXY_CACHE_DIR: copy.cache },
    );
    const [first, planted, second] = stdout.split("--\n");
    assert.match(first, /nowhere\.yaml/, stderr);
    assert.match(planted, /^[1-9]\d*\n$/, "compiled code was there, and has been changed");
    assert.equal(second, first);
  },
);
