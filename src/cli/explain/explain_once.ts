/**
 * One question to this machine.
 * @module
 */
import type { LoadedConfig } from "../../config/load.ts";
import { readFlowMachine } from "../../doctor/flow/machine.ts";
import { systemFiles } from "../../doctor/machine/files.ts";
import { readAdmission } from "../../kernel/admission.ts";
import { preparePlan } from "../../kernel/prepare.ts";
import { unlessRefused } from "../../net/error.ts";
import { openNetlink } from "../../netlink/transport.ts";
import type { Env } from "../env.ts";
import { findHolder, placesOf } from "../status/proxy.ts";
import { Explainer } from "./explainer.ts";
import type { AskedFlow } from "./question.ts";
import type { ExplainedRouter } from "./router.ts";
import type { Answer } from "./answer.ts";

/** Reads the machine, unless the rules alone are asked, and answers. */
export async function explainOnce(
  env: Env,
  { loaded, asked, rulesOnly }: {
    readonly loaded: LoadedConfig;
    readonly asked: AskedFlow;
    readonly rulesOnly: boolean;
  },
): Promise<Answer> {
  if (rulesOnly) return new Explainer(loaded, Deno.readFileSync, null).explain(asked);
  using route = openNetlink("route");
  const router = {
    machine: readFlowMachine(route, systemFiles(env.readTextFile)),
    admission: readAdmission(loaded.config),
    ...readInterfaces(env, loaded),
    proxy: (await findHolder(env, placesOf(loaded.config)))?.state,
  };
  return new Explainer(loaded, Deno.readFileSync, router).explain(asked);
}

/** The clients' interfaces; `lan` is undefined where an install would fail here. */
function readInterfaces(env: Env, loaded: LoadedConfig): Pick<ExplainedRouter, "lan" | "inner"> {
  const plan = unlessRefused(() => preparePlan(loaded, env.readTextFile));
  return { lan: plan?.lan, inner: plan?.intent.scope.inner?.names ?? [] };
}
