/**
 * `scripts/bench --forms`: what the forms of the product cost. Bytes to copy and on flash, the time of a
 * first start and of later ones, memory of an idle run. As root, in a network namespace of its own; unpacks
 * into a new directory in /var/tmp.
 * @module
 */
import { exists } from "../build/disk.ts";
import { PROJECT } from "../build/project.ts";

const STARTS = 20;
const ARCH = Deno.build.arch;

interface Form {
  readonly name: string;
  /** The file that is started. */
  readonly file: string;
  /** The file, or the package's tree, that is copied to the router. */
  readonly copied: string;
  readonly env: (cache: string) => Record<string, string>;
}

const IMAGE = `${PROJECT}/dist/tproxy-${ARCH}-image`;
const INSTALLED = `${PROJECT}/dist/installed-${ARCH}`;
const FORMS: readonly Form[] = [
  {
    name: "packed",
    file: `${PROJECT}/dist/tproxy-${ARCH}`,
    copied: "",
    env: (cache) => ({ TPROXY_CACHE_DIR: cache }),
  },
  { name: "image, mounted", file: IMAGE, copied: "", env: () => ({}) },
  { name: "image, unpacked", file: IMAGE, copied: "", env: (cache) => ({ TPROXY_CACHE_DIR: cache }) },
  { name: "installed", file: `${INSTALLED}/usr/bin/tproxy`, copied: INSTALLED, env: () => ({}) },
];

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function treeBytes(path: string): number {
  const { stdout } = new Deno.Command("du", { args: ["-sb", path], stderr: "null" }).outputSync();
  return Number(new TextDecoder().decode(stdout).split("\t")[0]);
}

/** Runs to the end, with these variables alone. */
function start(argv: readonly string[], env: Record<string, string>): { ms: number; stdout: string } {
  const path = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
  const begin = performance.now();
  const { success, stdout, stderr } = new Deno.Command(argv[0], {
    args: argv.slice(1),
    clearEnv: true,
    env: { ...path, ...env },
  }).outputSync();
  if (!success) throw new Error(`${argv.join(" ")} failed: ${new TextDecoder().decode(stderr)}`);
  return { ms: performance.now() - begin, stdout: new TextDecoder().decode(stdout) };
}

/** A first start: no layers, no compiled code, no mark that the image has been checked. */
function firstStart(file: string, env: Record<string, string>): number {
  const fresh = 'mount -t tmpfs -o mode=755 none /run; exec "$0" --version';
  const empty = start([
    "unshare",
    "--mount",
    "--propagation",
    "private",
    "sh",
    "-ec",
    "mount -t tmpfs none /run",
  ], {});
  return start(["unshare", "--mount", "--propagation", "private", "sh", "-ec", fresh, file], env).ms -
    empty.ms;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function laterStarts(file: string, env: Record<string, string>): number {
  start([file, "--version"], env);
  return median(Array.from({ length: STARTS }, () => start([file, "--version"], env).ms));
}

const RUN = `ip link set lo up; ip link add lan0 type veth peer name lan1; ip link set lan0 up
ip addr add 192.0.2.1/24 dev lan0
printf 'listener: { workers: 1 }\\ncontrol: %s/control.sock\\n' "$1" >"$1/tproxy.yaml"
"$0" run -c "$1/tproxy.yaml" 2>"$1/log" & pid=$!
tries=0; until grep -q 'relays TCP' "$1/log"; do sleep 0.1; tries=$((tries + 1)); [ $tries -lt 300 ]; done; sleep 2
grep -E '^(VmRSS|RssAnon)' /proc/$pid/status
i=0; while [ $i -lt 5 ]; do s=$(date +%s%N); "$0" --version >/dev/null; echo start $((($(date +%s%N) - s) / 10000)); i=$((i + 1)); done
kill $pid; wait $pid`;

/** RSS and memory of its own, MB, and ms of a start beside it. */
function idleRun(file: string, env: Record<string, string>, directory: string): [number, number, number] {
  const { stdout } = start(["unshare", "--net", "sh", "-ec", RUN, file, directory], env);
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(stdout)?.[1]) / 1000;
  const beside = median([...stdout.matchAll(/^start (\d+)/gm)].map(([, text]) => Number(text) / 100));
  return [read("VmRSS"), read("RssAnon"), beside];
}

if (import.meta.main) {
  say("form             copy MB  flash MB  first ms  later ms  beside a run ms  RSS MB  anonymous MB");
  for (const { name, file, copied, env } of FORMS) {
    if (!exists(file)) {
      say(`${name}: not there, scripts/build --form all makes it`);
      continue;
    }
    const directory = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "tproxy-forms-" });
    try {
      const variables = env(`${directory}/cache`);
      const first = firstStart(file, variables);
      const later = laterStarts(file, variables);
      const unpacked = exists(`${directory}/cache/.lock`) ? treeBytes(`${directory}/cache`) : 0;
      const [rss, anonymous, beside] = idleRun(file, variables, directory);
      const bytes = copied === "" ? Deno.statSync(file).size : treeBytes(copied);
      const cells = [bytes / 1e6, (bytes + unpacked) / 1e6, first, later, beside, rss, anonymous];
      const widths = [7, 10, 10, 10, 17, 8, 14];
      say(
        name.padEnd(17) +
          cells.map((value, at) => value.toFixed(at < 2 ? 1 : 0).padStart(widths[at])).join(""),
      );
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  }
}
