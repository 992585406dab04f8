/**
 * Statements in the phrases of nf_tables, so that `nft list ruleset` prints them as `script` does. Pure.
 * @module
 */
import type { NftExpression } from "../../netlink/nft/expression.ts";
import * as phrase from "../../netlink/nft/phrases.ts";
import type { NftDataType } from "../../netlink/nft/sets/set_type.ts";
import { lowerForwardPath } from "./forward_path/lowering.ts";
import type { Statement } from "./model.ts";

/** Makes a set for one rule, and gives what its lookup holds. */
export type AnonymousSetMaker = (
  type: NftDataType,
  keys: readonly Uint8Array[],
) => phrase.SetReference;

const ALL_BITS = 0xffffffff;

/** Makes the expressions of a rule. */
export function lowerRule(statements: readonly Statement[], makeSet: AnonymousSetMaker): NftExpression[] {
  return statements.flatMap((statement) => lowerStatement(statement, makeSet));
}

function lowerStatement(statement: Statement, makeSet: AnonymousSetMaker): NftExpression[] {
  switch (statement.kind) {
    case "input-interface":
      return phrase.inputInterface({ set: statement.set }, statement);
    case "input-interface-name":
      return phrase.inputInterface(statement.name, statement);
    case "output-interface":
      return phrase.outputInterface({ set: statement.set });
    case "output-interface-name":
      return phrase.outputInterface(statement.name);
    case "family":
      return phrase.networkFamily(statement.family);
    case "protocol": {
      const [only, ...others] = statement.protocols;
      if (others.length === 0) return phrase.transport(only);
      return phrase.transport(makeSet("inet_proto", statement.protocols.map(phrase.protocolKey)));
    }
    case "bare-syn":
      return [...phrase.transport("tcp"), ...phrase.bareSyn()];
    case "destination-port":
      return phrase.destinationPort({ set: statement.set }, statement);
    case "address":
      return phrase.address(statement.side, { family: statement.family, set: { set: statement.set } });
    case "hardware-address":
      return phrase.hardwareSource({ set: statement.set });
    case "destination-type": {
      const [only, ...others] = statement.types;
      if (others.length === 0) return phrase.destinationType(only, statement);
      const set = makeSet("fib_addrtype", statement.types.map(phrase.addressTypeKey));
      return phrase.destinationType(set, statement);
    }
    case "transparent-socket":
      return phrase.transparentSocket();
    case "icmp-error":
      return phrase.icmpError(statement.family, statement.error);
    case "known-flow":
      return phrase.conntrackState(["established", "related"]);
    case "original-direction":
      return phrase.originalDirection();
    case "remembered-flow":
      return phrase.flowIn({ set: statement.set }, {
        family: statement.family,
        first: statement.answer ? "destination" : "source",
      });
    case "remember-flow":
      return phrase.updateFlow(statement.set, {
        family: statement.family,
        first: statement.answer ? "source" : "destination",
      });
    case "foreign-source":
      return phrase.sourceType("local", { negate: true });
    case "of-program":
      return phrase.ofProgram();
    case "marked":
      return phrase.hasMark(0, { mask: ALL_BITS, negate: true });
    case "mark-bits":
      return phrase.hasMark(statement.mask, statement);
    case "new-flow":
      return phrase.conntrackState(["new"]);
    case "flow-bits":
      return phrase.hasMark(statement.mask, { mask: statement.mask, key: "ct" });
    case "set-flow-bits":
      return phrase.setFlowBits(statement.mask, statement);
    case "packet-length":
      return phrase.packetLength(statement.bytes);
    case "proxy-runs":
      return phrase.networkFamily({ set: statement.set });
    case "proxy-shows":
      return phrase.updateFamily(statement.set);
    case "socket-mark":
      return phrase.hasMark(statement.mark, { mask: ALL_BITS, key: "socket" });
    case "mark":
      return phrase.hasMark(statement.mark, { mask: ALL_BITS });
    case "tproxy":
      return phrase.tproxyTo(statement.to);
    case "set-mark":
      return phrase.setMarkBits(statement.mask);
    case "notrack":
      return phrase.notrack();
    case "reject":
      return phrase.reject(statement.answer);
    case "verdict":
      return phrase.verdict(statement.verdict);
    case "goto":
      return phrase.verdict("goto", statement.chain);
    default:
      return lowerForwardPath(statement);
  }
}
