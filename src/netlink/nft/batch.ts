/**
 * Changes of nf_tables that take effect together, or not at all. Building one is pure; `commit` sends it.
 * @module
 */
import { EAFNOSUPPORT, EINVAL, EOPNOTSUPP } from "../../net/errno.ts";
import type { BatchCommand, NetlinkConnection, Purpose } from "../connection.ts";
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL } from "../message.ts";
import { type ChainName, encodeChain, encodeChainName, type NftChain } from "./chain.ts";
import { encodeElements, type NftElement } from "./sets/element.ts";
import type { NftExpression } from "./expression.ts";
import { batchFrame, type NftFamily, type NftObject, nftRequest } from "./message.ts";
import { encodeRule, encodeRuleName, type NftRule, type RuleHandle } from "./rule.ts";
import { ANONYMOUS_SET_NAME, encodeSet, encodeSetName, type NftSet, type SetName } from "./sets/set.ts";
import { locateInRule, missingExpressionModule } from "./support.ts";
import { encodeTable, encodeTableName, type NftTable, type TableName } from "./table.ts";

/** A set of the same batch, for `lookup` expressions. */
export interface BatchSet {
  /** Its name, or the pattern of an anonymous one. */
  readonly set: string;
  /** Number within the batch (NFTA_SET_ID). */
  readonly setId: number;
}

/** Collects changes; {@linkcode NftBatch.commit} makes them. */
export class NftBatch {
  readonly #commands: BatchCommand[] = [];
  readonly #setIds = new Map<string, number>();
  readonly #ruleCounts = new Map<string, number>();
  #lastSetId = 0;

  /** The commands so far, in order. */
  get commands(): readonly BatchCommand[] {
    return this.#commands;
  }

  #add(
    object: NftObject,
    verb: "new" | "delete",
    details: { family: NftFamily; flags?: number; attributes: Uint8Array; purpose: Purpose },
  ): this {
    this.#commands.push({ request: nftRequest(object, verb, details), purpose: details.purpose });
    return this;
  }

  /**
   * Makes a table if it is not there; with `exclusive` it must not be. Equivalent to: nft add table inet T
   */
  addTable(table: NftTable, options: { exclusive?: boolean } = {}): this {
    const missingModule: Purpose["missingModule"] = ({ errno }) =>
      [EOPNOTSUPP, EAFNOSUPPORT, EINVAL].includes(errno) ? "nf_tables" : undefined;
    return this.#add("table", "new", {
      family: table.family,
      flags: options.exclusive ? NLM_F_EXCL | NLM_F_CREATE : 0,
      attributes: encodeTable(table),
      purpose: { operation: "add table", object: table.name, missingModule },
    });
  }

  /** Deletes a table with all that is in it. It must be there. Equivalent to: nft delete table inet T */
  deleteTable(table: TableName): this {
    return this.#add("table", "delete", {
      family: table.family,
      attributes: encodeTableName(table),
      purpose: { operation: "delete table", object: table.name },
    });
  }

  /**
   * Deletes a table if it is there: adds it first, which does no harm, on any kernel. Equivalent to: nft
   * destroy table inet T
   */
  destroyTable(table: TableName): this {
    return this.addTable({ family: table.family, name: table.name }).deleteTable(table);
  }

  /** Equivalent to: nft add chain inet T C { type filter hook prerouting priority 0 ; } */
  addChain(chain: NftChain): this {
    return this.#add("chain", "new", {
      family: chain.family,
      flags: NLM_F_CREATE,
      attributes: encodeChain(chain),
      purpose: { operation: "add chain", object: chain.name },
    });
  }

  /** Deletes a chain; its rules first, unless it is empty. Equivalent to: nft delete chain inet T C */
  deleteChain(chain: ChainName): this {
    return this.#add("chain", "delete", {
      family: chain.family,
      attributes: encodeChainName(chain),
      purpose: { operation: "delete chain", object: chain.name },
    });
  }

  /**
   * Makes a set; use what it returns in `lookup` expressions. Equivalent to: nft add set inet T S { type
   * ifname ; }
   */
  addSet(set: NftSet): BatchSet {
    const setId = ++this.#lastSetId;
    if (set.name !== ANONYMOUS_SET_NAME) this.#setIds.set(setKey(set), setId);
    this.#add("set", "new", {
      family: set.family,
      flags: NLM_F_CREATE,
      attributes: encodeSet(set, setId),
      purpose: { operation: "add set", object: set.name },
    });
    return { set: set.name, setId };
  }

  /** Makes a constant set without a name, for one rule, as nft does for `{ tcp, udp }`. */
  addAnonymousSet(set: Omit<NftSet, "name" | "size">, elements: readonly NftElement[]): BatchSet {
    const name = ANONYMOUS_SET_NAME;
    const flags = ["anonymous", "constant", ...(set.flags ?? [])] as const;
    // nft tells the kernel the number of elements, which picks the set's implementation by it.
    const made = this.addSet({ ...set, name, flags, size: elements.length });
    this.#addElements({ ...set, name }, elements, made.setId);
    return made;
  }

  /** Deletes a set. Equivalent to: nft delete set inet T S */
  deleteSet(set: SetName): this {
    return this.#add("set", "delete", {
      family: set.family,
      attributes: encodeSetName(set),
      purpose: { operation: "delete set", object: set.name },
    });
  }

  /** Adds elements, however many. Equivalent to: nft add element inet T S { … } */
  addElements(set: SetName, elements: readonly NftElement[]): this {
    return this.#addElements(set, elements, this.#setIds.get(setKey(set)));
  }

  #addElements(set: SetName, elements: readonly NftElement[], setId: number | undefined): this {
    for (const attributes of encodeElements(set, elements, setId === undefined ? {} : { setId })) {
      this.#add("elements", "new", {
        family: set.family,
        flags: NLM_F_CREATE,
        attributes,
        purpose: { operation: "add elements to set", object: set.name },
      });
    }
    return this;
  }

  /** Takes all elements out. Equivalent to: nft flush set inet T S */
  flushSet(set: SetName): this {
    return this.#add("elements", "delete", {
      family: set.family,
      attributes: encodeSetName(set), // the attributes of a list of elements have the same numbers
      purpose: { operation: "flush set", object: set.name },
    });
  }

  /** Takes elements out. Equivalent to: nft delete element inet T S { … } */
  deleteElements(set: SetName, elements: readonly NftElement[]): this {
    for (const attributes of encodeElements(set, elements)) {
      this.#add("elements", "delete", {
        family: set.family,
        attributes,
        purpose: { operation: "delete elements of set", object: set.name },
      });
    }
    return this;
  }

  /**
   * Adds a rule at the end of its chain, `first` of it, or after the rule with handle `after`. Lookups of
   * sets of this batch are given their ids. Errors call it `chain/2`: the second that this batch adds to the
   * chain. Equivalent to: nft add rule inet T C …; with `first`: nft insert rule inet T C …
   */
  addRule(rule: NftRule, options: { after?: bigint; first?: boolean } = {}): this {
    const expressions = rule.expressions.map((expression) => this.#withSetId(rule, expression));
    const count = (this.#ruleCounts.get(rule.chain) ?? 0) + 1;
    this.#ruleCounts.set(rule.chain, count);
    const attributes = encodeRule({ ...rule, expressions }, options);
    return this.#add("rule", "new", {
      family: rule.family,
      flags: options.first === true ? NLM_F_CREATE : NLM_F_CREATE | NLM_F_APPEND,
      attributes,
      purpose: {
        operation: "add rule",
        object: `${rule.chain}/${count}`,
        missingModule: (answer) => missingExpressionModule(expressions, attributes, answer),
        locate: (offset) => locateInRule(expressions, attributes, offset),
      },
    });
  }

  #withSetId(rule: NftRule, expression: NftExpression): NftExpression {
    if (!("set" in expression) || expression.setId !== undefined) return expression;
    const setId = this.#setIds.get(setKey({ family: rule.family, table: rule.table, name: expression.set }));
    return setId === undefined ? expression : { ...expression, setId };
  }

  /** Equivalent to: nft delete rule inet T C handle N */
  deleteRule(rule: RuleHandle): this {
    return this.#add("rule", "delete", {
      family: rule.family,
      attributes: encodeRuleName(rule),
      purpose: { operation: "delete rule", object: `${rule.chain} handle ${rule.handle}` },
    });
  }

  /** Deletes all rules of a chain. Equivalent to: nft flush chain inet T C */
  flushChain(chain: ChainName): this {
    return this.#add("rule", "delete", {
      family: chain.family,
      attributes: encodeRuleName({ table: chain.table, chain: chain.name }),
      purpose: { operation: "flush chain", object: chain.name },
    });
  }

  /**
   * Makes all changes at once. Throws the OperationError of the first command that failed; then none was
   * made. With `generation`, what {@linkcode readGeneration} told before the rules were read, it fails with
   * ERESTART when anybody has changed any rule since.
   */
  commit(connection: NetlinkConnection, options: { generation?: number } = {}): void {
    connection.batch(this.#commands, batchFrame(options.generation));
  }
}

function setKey(set: SetName): string {
  return `${set.family} ${set.table} ${set.name}`;
}
