/**
 * `tproxy upgrade`.
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { argument } from "@optique/core/primitives";
import { OperationError } from "../../net/error.ts";
import { configOption, filePath } from "../arguments/config_option.ts";
import type { Command } from "../command.ts";
import { findControl } from "../control/find.ts";
import { isObject, parseJson } from "../control/shape.ts";
import type { Env } from "../env.ts";

const parser = object({
  config: configOption,
  file: optional(argument(filePath(), {
    description: message`The file of the version that is to run. Without it: this program.`,
  })),
});

/** The command. */
export const upgradeCommand: Command<InferValue<typeof parser>> = {
  name: "upgrade",
  summary: "Have another version take over from a running proxy, without loss",
  details: [
    "FILE is started with the words and in the service of the proxy that runs, and is given its listeners, its UDP sessions with " +
    "their sockets, and its rules: no datagram is lost, no new connection fails, servers see the same ports. Its live TCP connections " +
    "follow as soon as FILE runs, and it ends; to a version that takes none they do not, and have timeouts.drain to end. There is one " +
    "such at a time: until it has ended another upgrade is refused.",
    "FILE is checked first: that root alone may write it, that it is for this processor, unpacks, and knows how to take over from this version. Until it says that it " +
    "runs the proxy before goes on as it did, whatever happens to FILE. The config is read anew, as by a reload; keys that only a " +
    "restart takes over must be as they were, but for listener.workers (which stay as many), limits, control, metrics and log.format.",
    "FILE is run from where it is: put it first where the service looks for it, by mv, not cp. Under systemd the service's main " +
    "process is the new one. procd and OpenRC know one process alone and start another when that ends: restart there.",
    "The exit code is 0 if FILE runs, 3 if no proxy answers, else 1: then the proxy before goes on.",
  ],
  examples: ["upgrade", "upgrade /usr/sbin/tproxy"],
  changesState: true,
  parser,
  async run(env, { config, file }) {
    const control = await findControl(env, config);
    if (Deno.uid() !== 0) {
      const reason = "root alone may: it starts what becomes the proxy";
      throw new OperationError({ operation: "upgrade", object: "the proxy", reason });
    }
    const { askAny, sayNoAnswer } = await import("../control/proxy.ts");
    const reply = await askAny(control, { method: "GET", target: "/v1/status" });
    if (reply === undefined) return sayNoAnswer(env, control);
    const state = parseJson(reply.text);
    if (!isObject(state) || typeof state.pid !== "number") {
      throw new OperationError({
        operation: "upgrade",
        object: "the proxy",
        reason: "it does not say who it is",
      });
    }
    return await upgrade(env, { control, pid: state.pid, file });
  },
};

async function upgrade(
  env: Env,
  { control, pid, file }: {
    readonly control: string;
    readonly pid: number;
    readonly file: string | undefined;
  },
): Promise<number> {
  const { readFormer } = await import("../upgrade/former.ts");
  const { requireProcessor, requireVersion } = await import("../upgrade/file.ts");
  const { requireTrust } = await import("../upgrade/trust.ts");
  const { readState, startSuccessor } = await import("../upgrade/start.ts");
  const { tellFarewell } = await import("../upgrade/farewell.ts");
  const former = readFormer(pid);
  const path = file === undefined || file.startsWith("/") ? file : `${env.cwd()}/${file}`;
  const program = path === undefined ? env.self : { command: path, args: [] };
  if (path !== undefined) requireTrust(path); // this program runs already
  requireProcessor(program.command);
  const version = await requireVersion(program);
  env.stdout(`tproxy ${version} of ${program.command} takes over from the proxy with pid ${pid}\n`);
  const outcome = await startSuccessor(program, former, { control, say: env.stderr });
  if ("code" in outcome) {
    const now = await readState(control);
    const who = now === undefined ? "no proxy answers now" : `the proxy with pid ${now.pid} goes on`;
    env.stderr(`tproxy: ${program.command} has not taken over: ${who}\n`);
    return 1;
  }
  const { state } = outcome;
  env.stdout(`pid ${state.pid} runs, with ${state.udpSessions} UDP sessions\n`);
  env.stdout(`${await tellFarewell(control, { pid: state.pid, former: pid })}\n`);
  if (former.file !== undefined && former.file !== program.command) {
    env.stderr(`tproxy: warning: the next start is of ${former.file}: put ${program.command} there, by mv\n`);
  }
  return 0;
}
