/** Completion in a real bash: it must be there as soon as any answer of the program. */
import assert from "node:assert/strict";
import { runProgram } from "../../laboratory/program.ts";
import { tproxyCommand } from "../../laboratory/proxy/proxy.ts";
import { print } from "../../laboratory/machine/print.ts";

const NAME = "completion of values takes hardly longer than --version";
const IS_PRODUCT = Deno.env.get("TPROXY_BIN") !== undefined;
if (!IS_PRODUCT) print(`skipped: ${NAME}: needs the single file: TPROXY_BIN names none`);

const ROUNDS = 9;
/** Processor time, for the machine may do other work; medians of what runs in turn. */
const MOST_RATIO = 2;

const SCRIPT = `
eval "$(tproxy completion bash)"
COMP_WORDS=(tproxy explain --in ""); COMP_CWORD=3; COMP_LINE="tproxy explain --in "; COMP_POINT=\${#COMP_LINE}
_tproxy
echo "\${COMPREPLY[*]}"
TIMEFORMAT="%U %S"
took() {
  local what=$1; shift
  echo "$what $({ time "$@" >/dev/null 2>&1; } 2>&1)"
}
for ((round = 0; round < ${ROUNDS}; round++)); do
  took version tproxy --version
  took interface tproxy completion bash explain --in ""
  took rule tproxy completion bash connections -c "$CONFIG" --rule ""
  took device tproxy completion bash connections --device ""
  took command tproxy completion bash ""
  took option tproxy completion bash connections --
done`;

Deno.test({
  name: NAME,
  ignore: !IS_PRODUCT,
  async fn() {
    const directory = Deno.makeTempDirSync({ prefix: "tproxy-completion-" });
    try {
      Deno.symlinkSync(tproxyCommand()[0], `${directory}/tproxy`);
      Deno.writeTextFileSync(`${directory}/tproxy.yaml`, "rules: [{ name: work, action: block }]\n");
      const env = {
        PATH: `${directory}:${Deno.env.get("PATH")}`,
        CONFIG: `${directory}/tproxy.yaml`,
      };
      const { stdout } = await runProgram(["bash", "-c", SCRIPT], { env, timeoutMs: 300_000 });
      const [interfaces, ...lines] = stdout.trimEnd().split("\n");
      assert.match(interfaces, /\blo\b/);
      const took = (what: string) => {
        const times = lines.filter((line) => line.startsWith(`${what} `)).map((line) =>
          Number(line.split(" ")[1])
        );
        assert.equal(times.length, ROUNDS);
        return times.toSorted((a, b) => a - b)[(ROUNDS - 1) / 2] * 1000;
      };
      const version = took("version");
      const shown = ["interface", "rule", "device", "command", "option"].map((what) =>
        `${what} ${took(what).toFixed(0)}`
      );
      print(`completion, ms of processor time: --version ${version.toFixed(0)}, ${shown.join(", ")}`);
      for (const what of ["interface", "device", "command"]) {
        assert.ok(took(what) < version * MOST_RATIO, `${what}: ${took(what)} ms beside ${version}`);
      }
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
