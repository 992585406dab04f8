/**
 * A Debian to install packages into: this machine's, as the lower layer of an overlay whose upper layer is in
 * memory. Mounts, processes and network are those of namespaces that end with the script; `/upper` shows what
 * it changed.
 * @module
 */
import type { Outcome } from "../../laboratory/program.ts";
import { runApart } from "./apart.ts";

const SETUP = `
  mount -t tmpfs tproxy $dir/memory
  mkdir $dir/memory/upper $dir/memory/work
  mount -t overlay -o lowerdir=/,upperdir=$dir/memory/upper,workdir=$dir/memory/work tproxy $dir/root
  mount -t proc proc $dir/root/proc
  mount --rbind /sys $dir/root/sys
  mount --rbind /dev $dir/root/dev
  mkdir $dir/root/upper $dir/root/packages
  mount --bind $dir/memory/upper $dir/root/upper
  mount --bind -o ro $dir/packages $dir/root/packages
  mount -t tmpfs tproxy $dir/root/run
  mount -t tmpfs tproxy $dir/root/tmp
`;

/** The functions that scripts may use. */
const FUNCTIONS = `
  export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
  unset TPROXY_CACHE_DIR TPROXY_BIN
  # What a program of this machine has unpacked is not there; that stands as a device in the upper layer.
  rm -rf /var/cache/tproxy
  # What the script has changed, without what dpkg writes for itself.
  changed() {
    cd /upper
    find . ! -type d ! -path './var/lib/dpkg/*' ! -path './var/log/*' ! -path './etc/ld.so.cache' \\
      ! -path './var/cache/ldconfig/*' ! -path './var/cache/man/*' \\
      ! '(' -path ./var/cache/tproxy -type c ')' -print | sed 's/^.//' | LC_ALL=C sort
    cd /
  }
  # The kernel's state of this network.
  network() {
    nft list ruleset
    for family in -4 -6; do ip $family rule; ip $family route show table 100 2>/dev/null || true; done
  }
  # Names of the processes that are not the script itself.
  processes() { cat /proc/[0-9]*/comm | grep -vx 'sh\\|cat\\|grep' || true; }
`;

/** Packages, and the machine to install them into. */
export class DebianRoot implements AsyncDisposable {
  readonly directory = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "tproxy-release-" });

  constructor() {
    for (const name of ["memory", "root", "packages"]) Deno.mkdirSync(`${this.directory}/${name}`);
  }

  /** Puts a package where scripts find it: `/packages/NAME`. */
  add(name: string, bytes: Uint8Array): void {
    Deno.writeFileSync(`${this.directory}/packages/${name}`, bytes);
  }

  /**
   * Runs a script as process 1 of a container; `inChroot`: as a process of a chroot on a machine that runs.
   */
  run(script: string, options: { inChroot?: boolean } = {}): Promise<Outcome> {
    const enter = options.inChroot === true ? "chroot" : "exec chroot";
    const setup = `${SETUP}\n${enter} $dir/root /bin/sh -ec "$script"`;
    const variables = { dir: this.directory, script: FUNCTIONS + script };
    return runApart(setup, { env: variables, timeoutMs: 180_000 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.directory, { recursive: true });
  }
}

/** Parts of what a script wrote, by the name after `== `. */
export function sections(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(/^== /m).slice(1)) {
    const [name, ...rest] = part.split("\n");
    found.set(name, rest.join("\n").trimEnd());
  }
  return found;
}
