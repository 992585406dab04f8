/**
 * Statements of plans with `admission: forward-path` in the phrases of nf_tables. Pure.
 * @module
 */
import type { NftExpression } from "../../../netlink/nft/expression.ts";
import * as phrase from "../../../netlink/nft/phrases.ts";
import type { ForwardPathCondition } from "../../plan/rules/condition.ts";
import type { ForwardPathVerb } from "../model.ts";

/** Makes the expressions of a statement. */
export function lowerForwardPath(statement: ForwardPathCondition | ForwardPathVerb): NftExpression[] {
  switch (statement.kind) {
    case "no-bare-syn":
      return [...phrase.transport("tcp"), ...phrase.bareSyn({ negate: true })];
    case "acknowledges":
      return phrase.acknowledges();
    case "resets-alone":
      return phrase.resetsAlone();
    case "tcp-option":
      return phrase.tcpOption(statement.option);
    case "wildcard-socket":
      return phrase.wildcardSocket();
    case "connected-socket":
      return phrase.tproxyToConnected();
    case "priority":
      return phrase.hasPriority(statement.priority);
    case "ttl":
      return phrase.hasTtl(statement.ttl, statement);
    case "zone":
      return phrase.inZone(statement.zone);
    case "unknown-flow":
      return phrase.conntrackState(["invalid", "new"]);
    case "untracked":
      return phrase.conntrackState(["untracked"]);
    case "related-flow":
      return phrase.conntrackState(["related"]);
    case "helped-flow":
      return phrase.hasHelper();
    case "translated-flow":
      return phrase.isTranslated();
    case "redirected-flow":
      return phrase.isRedirected();
    case "marked-flow":
      return phrase.hasMark(0, { key: "ct", mask: 0xffffffff, negate: !statement.negate });
    case "original-flow":
      return phrase.originalIn({ set: statement.set }, statement);
    case "source-port-share":
      return phrase.sourcePortIn(statement, statement);
    case "flow-label":
      return phrase.hasLabel(statement.label, statement);
    case "carries-data":
      return phrase.carriesData();
    case "set-label":
      return phrase.setLabel(statement.label);
    case "reset-tcp-option":
      return phrase.resetTcpOption(statement.option);
    case "clear-mark":
      return phrase.setMarkBits(statement.set, { clear: statement.mask });
    case "restore-mark":
      return phrase.restoreMark();
    case "take-flow-mark":
      return phrase.takeFlowMark();
    case "set-zone":
      return phrase.setZone(statement.zone);
    case "forget-original":
      return phrase.forgetOriginal(statement.set, statement);
    case "note-mark":
      return phrase.noteMark(statement.set, statement);
    case "forget-mark":
      return phrase.forgetMark(statement.set, statement);
    case "recall-mark":
      return phrase.recallMark(statement.set, {
        family: statement.family,
        first: statement.answer ? "destination" : "source",
      });
    case "counter":
      return phrase.counter();
    case "log":
      return phrase.logTo(statement.group, statement);
    case "queue":
      return phrase.queueTo(statement.number);
    case "overwrite":
      return phrase.overwrite(statement, statement.original);
    case "nat-to-itself":
      return phrase.natToItself(statement.family, statement.side);
    default:
      return statement satisfies never;
  }
}
