/**
 * The router that explained flows come to. Pure.
 * @module
 */
import type { FlowMachine } from "../../doctor/flow/machine.ts";
import type { AdmissionInForce } from "../../kernel/admission.ts";
import type { UpstreamReport } from "./upstreams.ts";

/** See the module. */
export interface ExplainedRouter {
  readonly machine: FlowMachine;
  readonly admission: AdmissionInForce;
  /** Interfaces of clients; undefined: no plan can be made here. */
  readonly lan: readonly string[] | undefined;
  /** Those of them through which no default route leads. */
  readonly inner: readonly string[];
  /** The report of the proxy that runs. */
  readonly proxy: UpstreamReport | undefined;
}
