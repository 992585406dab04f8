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
  restoreMark,
  setFlowBits,
  setMarkBits,
  setZone,
  takeFlowMark,
  tproxyTo,
  tproxyToConnected,
  verdict,
} from "./phrases/actions.ts";
export { forgetMark, noteMark, recallMark } from "./phrases/flow_marks.ts";
export {
  conntrackState,
  flowIn,
  hasLabel,
  hasMark,
  hasPriority,
  inZone,
  ofProgram,
  originalDirection,
  setLabel,
  transparentSocket,
  updateFlow,
  wildcardSocket,
} from "./phrases/flows.ts";
export {
  forgetOriginal,
  hasHelper,
  isRedirected,
  isTranslated,
  logTo,
  natToItself,
  type Original,
  originalEnds,
  originalIn,
  overwrite,
  queueTo,
  sourcePortIn,
} from "./phrases/originals.ts";
export {
  address,
  ADDRESS_PLACES,
  addressTypeKey,
  destinationType,
  hardwareSource,
  hasTtl,
  inputInterface,
  networkFamily,
  outputInterface,
  packetLength,
  sourceType,
  updateFamily,
} from "./phrases/packet.ts";
export type { SetReference } from "./phrases/parts.ts";
export {
  acknowledges,
  bareSyn,
  carriesData,
  destinationPort,
  icmpError,
  protocolKey,
  resetsAlone,
  resetTcpOption,
  TCP_FLAGS,
  tcpOption,
  transport,
  type TransportProtocol,
} from "./phrases/transport.ts";
