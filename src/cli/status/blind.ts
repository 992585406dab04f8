/**
 * The part of status that needs no config: what runs, where the config does not say what should be in the
 * kernel. It is then that an administrator looks.
 * @module
 */
import type { ProxyState } from "../../daemon/control/status.ts";
import { ConfigError } from "../../config/error.ts";
import { OperationError } from "../../net/error.ts";
import { findControl, NOBODY } from "../control/find.ts";
import type { Env } from "../env.ts";
import { report } from "../stdio/report.ts";
import { describeAnswer, readState } from "./proxy.ts";

/** The options of status that count here. */
interface BlindOptions {
  readonly config: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  /** Set: the exit code is 3 where no proxy answers. */
  readonly running: boolean;
}

/**
 * Shows the proxy that answers, if one does, and says why the rest is not known. Throws the failure again,
 * for it is the command's; returns the exit code where it counts more that no proxy answers.
 */
export async function reportBlind(env: Env, failure: unknown, options: BlindOptions): Promise<number> {
  if (!(failure instanceof ConfigError || failure instanceof OperationError)) throw failure;
  const control = await findControl(env, options.config);
  const state = control === "off" ? undefined : await readState(control);
  if (options.json) env.stdout(`${JSON.stringify(blindDocument(state, failure), null, 2)}\n`);
  else {
    env.stdout("installed: not known, for the config does not say what should be (see the error)\n");
    env.stdout(`proxy: ${describeLines(state, control, env.now().getTime(), options.verbose)}\n`);
  }
  if (!options.running || state !== undefined) throw failure;
  report(env, failure);
  return NOBODY;
}

function blindDocument(state: ProxyState | undefined, { message }: Error): Record<string, unknown> {
  const holder = state === undefined ? {} : { holder: { pid: state.pid, ours: true, state } };
  return { version: 1, error: message, proxy: { running: state !== undefined, ...holder } };
}

function describeLines(
  state: ProxyState | undefined,
  control: string,
  now: number,
  verbose: boolean,
): string {
  if (state === undefined) {
    return control === "off" ? "not known: it cannot be asked (control: off)" : `none answers at ${control}`;
  }
  const { pid } = state;
  return describeAnswer(state, { now, control, verbose, where: `pid ${pid}, answers at ${control}` })
    .join("\n       ");
}
