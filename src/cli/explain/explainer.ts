/**
 * All that `tproxy explain` asks, read once for any number of flows.
 * @module
 */
import { type DomainLists, readDomainLists } from "../../config/files/domain_lists.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { linkName } from "../../doctor/flow/machine.ts";
import { type FlowTrace, traceFlow } from "../../doctor/flow/trace.ts";
import { compilePolicy } from "../../policy/compile.ts";
import { explain } from "../../policy/explain.ts";
import type { PolicyImage } from "../../policy/image.ts";
import { buildNameSets } from "../../policy/name_sets.ts";
import type { Route } from "../../policy/routes/route.ts";
import { type Answer, makeAnswer } from "./answer.ts";
import { chooseMember } from "./member.ts";
import { answerByPolicy, type PolicyAnswer } from "./policy_answer.ts";
import type { ExplainedRouter } from "./router.ts";
import { type AskedFlow, flowOf, refuse } from "./question.ts";
import { statesOf } from "./upstreams.ts";

/** Asks the policy and the router. */
export class Explainer {
  readonly #loaded: LoadedConfig;
  readonly #lists: DomainLists;
  readonly #image: PolicyImage;
  readonly #router: ExplainedRouter | null;

  /** `router`: null: the rules alone are asked. Throws a ConfigError for lists that cannot be read. */
  constructor(
    loaded: LoadedConfig,
    read: (path: string) => Uint8Array<ArrayBuffer>,
    router: ExplainedRouter | null,
  ) {
    this.#loaded = loaded;
    this.#lists = readDomainLists(loaded, read);
    const { images } = buildNameSets(loaded.config, this.#lists, crypto.getRandomValues(new Int32Array(2)));
    this.#image = compilePolicy(loaded.config, 0, images);
    this.#router = router;
  }

  /** Tells what becomes of a flow. */
  explain(flow: AskedFlow): Answer {
    const asked = this.#place(flow);
    const { policy, route } = this.#askPolicy(asked);
    const upstreamStates = statesOf(policy.upstreams, this.#router?.proxy);
    return makeAnswer({
      loaded: this.#loaded,
      asked,
      policy,
      upstreamStates,
      choice: route?.action === "proxy" ? chooseMember(route, upstreamStates, asked.client) : null,
      router: this.#router,
      trace: this.#trace(asked),
    });
  }

  /** Adds the interface by which the router would answer the client, where none was named. */
  #place(flow: AskedFlow): AskedFlow {
    const router = this.#router;
    if (router === null) return flow;
    const { machine } = router;
    if (flow.input !== undefined) {
      if (machine.links.some(({ name }) => name === flow.input)) return flow;
      const names = machine.links.map(({ name }) => name).join(", ");
      throw refuse("--in", flow.input, `there is no such interface; this machine has ${names}`);
    }
    const back = machine.lookUp({ to: flow.client });
    const name = "route" in back ? linkName(machine, back.route.outLinkIndex) : undefined;
    return name === undefined ? flow : { ...flow, input: name };
  }

  #askPolicy(asked: AskedFlow): { policy: PolicyAnswer; route: Route | null } {
    const flow = flowOf(asked, this.#image);
    const explanation = explain(this.#image, flow);
    flow.nameAsked = false;
    const unasked = explain(this.#image, flow);
    const policy = answerByPolicy({
      loaded: this.#loaded,
      lists: this.#lists,
      protocol: asked.protocol,
      server: asked.server,
      domain: asked.name,
      explanation,
      unasked,
      proxy: this.#router?.proxy,
    });
    return { policy, route: explanation.route };
  }

  #trace({ input, ...flow }: AskedFlow): FlowTrace | null {
    if (this.#router === null) return null;
    const { machine, admission, inner } = this.#router;
    const { config: { kernel, listener, source, intercept } } = this.#loaded;
    const link = machine.links.find(({ name }) => name === input);
    return traceFlow(
      { ...flow, ...(link === undefined ? {} : { input: { name: link.name, index: link.index } }) },
      machine,
      {
        mark: kernel.mark,
        listenerPort: listener.port,
        admission: admission.inForce,
        source,
        onFailure: intercept.onFailure,
        inner,
      },
    );
  }
}
