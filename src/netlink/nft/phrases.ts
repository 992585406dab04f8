/**
 * Phrases of nft's language as the expressions that nft 1.0.6 makes of them, register for register, so that
 * `nft list ruleset` prints them as they were meant. Each takes as little as it needs; a rule is a
 * concatenation of what they return. Pure.
 * @module
 */
export {
  counter,
  masquerade,
  notrack,
  reject,
  setFlowBits,
  setMarkBits,
  tproxyTo,
  verdict,
} from "./phrases/actions.ts";
export {
  conntrackState,
  flowIn,
  hasMark,
  ofProgram,
  originalDirection,
  transparentSocket,
  updateFlow,
} from "./phrases/flows.ts";
export {
  address,
  addressTypeKey,
  destinationType,
  hardwareSource,
  inputInterface,
  networkFamily,
  outputInterface,
  packetLength,
  sourceType,
  updateFamily,
} from "./phrases/packet.ts";
export type { SetReference } from "./phrases/parts.ts";
export {
  bareSyn,
  destinationPort,
  icmpError,
  protocolKey,
  TCP_FLAGS,
  transport,
  type TransportProtocol,
} from "./phrases/transport.ts";
