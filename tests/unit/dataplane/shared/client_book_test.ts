import assert from "node:assert/strict";
import { ClientBook } from "../../../../src/dataplane/shared/client_book.ts";
import { sockaddr } from "../support/addresses.ts";

interface Count {
  size: number;
}

function add(book: ClientBook<Count>, client: string, sessions: number): Count {
  const holding = book.open(sockaddr(client), 0);
  holding.size += sessions;
  book.grew(holding);
  return holding;
}

Deno.test("ClientBook knows clients by address alone, and gives a holding to the next when it is empty", () => {
  const book = new ClientBook<Count>(() => ({ size: 0 }));
  const first = add(book, "10.0.0.1:1", 1);
  assert.equal(add(book, "10.0.0.1:2", 1), first);
  assert.equal(book.find(sockaddr("10.0.0.1:3"), 0), first);
  assert.equal(book.find(sockaddr("10.0.0.2:1"), 0), null);
  first.size = 0;
  book.close(sockaddr("10.0.0.1:1"), 0);
  assert.deepEqual([book.size, book.find(sockaddr("10.0.0.1:1"), 0)], [0, null]);
  assert.equal(add(book, "[fd00::1]:1", 1), first);
});

Deno.test("ClientBook finds who has more than an equal share, and another when that one has gone", () => {
  const book = new ClientBook<Count>(() => ({ size: 0 }));
  assert.equal(book.look(10), null);
  const most = add(book, "10.0.0.1:1", 3);
  assert.equal(book.unfair(3), null);
  const fewer = add(book, "10.0.0.2:1", 2);
  assert.equal(book.unfair(5), most);
  most.size = 0;
  book.close(sockaddr("10.0.0.1:1"), 0);
  assert.equal(book.unfair(2), null);
  assert.equal(book.look(10), fewer);
});
