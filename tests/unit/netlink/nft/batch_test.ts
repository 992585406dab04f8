import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { parseEndpoint } from "../../../../src/net/ip.ts";
import { OperationError } from "../../../../src/net/error.ts";
import { NetlinkConnection } from "../../../../src/netlink/connection.ts";
import { decodeAnswer } from "../../../../src/netlink/message.ts";
import { NftBatch } from "../../../../src/netlink/nft/batch.ts";
import { decodeElements } from "../../../../src/netlink/nft/sets/element.ts";
import { decodeRule } from "../../../../src/netlink/nft/rule.ts";
import { portKey } from "../../../../src/netlink/nft/sets/set_type.ts";
import * as statement from "../../../../src/netlink/nft/phrases.ts";
import { fakeConnection, fakeTransport, kernelWithout, nlError, obedientKernel } from "../fake_transport.ts";

const family = "inet" as const;
const table = "t";

function rule(expressions: ReturnType<typeof statement.notrack>) {
  return { family, table, chain: "divert", expressions };
}

function thrownBy(batch: NftBatch, connection: NetlinkConnection): OperationError {
  try {
    batch.commit(connection);
  } catch (error) {
    if (error instanceof OperationError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: "nothing was thrown" });
}

const CASES = [
  ["tproxy", statement.tproxyTo(parseEndpoint("127.0.0.1:1")!), "nft_tproxy"],
  ["socket", statement.transparentSocket(), "nft_socket"],
  ["fib", statement.destinationType("local"), "nft_fib_inet"],
] as const;

for (const [expression, expressions, module] of CASES) {
  Deno.test(`commit() names the module when the kernel lacks ${expression}`, () => {
    const batch = new NftBatch();
    batch.addRule(rule(statement.notrack())).addRule(rule(expressions)).addRule(rule(statement.notrack()));
    const error = thrownBy(batch, fakeConnection(kernelWithout(expression)));
    assert.equal(error.object, "divert/2");
    assert.match(error.message, new RegExp(`it refuses expression \\d \\(${expression}\\)`));
    assert.equal(error.missingModule, module);
    assert.match(error.message, new RegExp(`The kernel lacks ${module}$`));
    // An offset inside the expression means the same one.
    const inside = fakeConnection((requests) =>
      kernelWithout(expression)(requests).map((answer) => {
        if (typeof answer === "number") return answer;
        const { offset, errno } = decodeAnswer(answer);
        return offset === undefined ? answer : nlError(answer, errno, { offset: offset + 5 });
      })
    );
    assert.equal(thrownBy(batch, inside).missingModule, module);
    // A kernel without extended acks says ENOENT and nothing else.
    const terse = fakeConnection((sent) => [nlError(sent[2], 2), nlError(sent[3], 0)]);
    assert.equal(thrownBy(batch, terse).missingModule, module);
  });
}

Deno.test("commit() does not blame a module for a missing chain", () => {
  const batch = new NftBatch().addRule(rule(statement.transparentSocket()));
  const connection = fakeConnection((sent) => [nlError(sent[1], 2, { offset: 28 })]);
  const error = thrownBy(batch, connection);
  assert.deepEqual([error.hint, error.missingModule], ["", ""]);
  assert.match(error.message, /it refuses the chain's name/);
});

Deno.test("commit() says that nf_tables is missing when the kernel knows no such family", () => {
  const batch = new NftBatch().addTable({ family, name: table });
  const error = thrownBy(batch, fakeConnection((sent) => [nlError(sent[1], 97)]));
  assert.equal(error.missingModule, "nf_tables");
});

Deno.test("addElements() splits what does not fit one message, in order", () => {
  const elements = Array.from({ length: 20_000 }, (_, index) => ({ key: portKey(index) }));
  const batch = new NftBatch().addElements({ family, table, name: "ports" }, elements);
  assert.ok(batch.commands.length > 1, `${batch.commands.length} messages`);
  const decoded = batch.commands.flatMap(({ request }) => decodeElements(request.body));
  assert.ok(isDeepStrictEqual(decoded, elements));
  const transport = fakeTransport(obedientKernel);
  batch.commit(new NetlinkConnection(transport));
  assert.equal(transport.sent.length, 1);
});

Deno.test("addRule() gives lookups the ids of the batch's sets", () => {
  const batch = new NftBatch();
  batch.addSet({ family, table, name: "lan", type: ["ifname"] });
  const made = batch.addSet({ family, table, name: "ports", type: ["inet_service"] });
  batch.addRule(
    rule([...statement.inputInterface({ set: "lan" }), ...statement.destinationPort({ set: "other" })]),
  );
  const lookups = decodeRule(batch.commands[2].request.body).expressions.filter(({ kind }) =>
    kind === "lookup"
  );
  assert.deepEqual(lookups, [
    { kind: "lookup", set: "lan", register: 1, setId: 1 },
    { kind: "lookup", set: "other", register: 1 },
  ]);
  assert.deepEqual(made, { set: "ports", setId: 2 });
});

Deno.test("commit() of an empty batch sends nothing", () => {
  const transport = fakeTransport(obedientKernel);
  new NftBatch().commit(new NetlinkConnection(transport));
  assert.deepEqual(transport.sent, []);
});
