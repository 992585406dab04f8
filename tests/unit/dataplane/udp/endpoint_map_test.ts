import assert from "node:assert/strict";
import { EndpointMap } from "../../../../src/dataplane/udp/endpoint_map.ts";
import { sockaddr } from "../support/addresses.ts";

const random = (() => {
  let state = 12345;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % below;
  };
})();

function randomText(): string {
  const port = random(3) + 1;
  const host = random(60);
  return random(2) === 0 ? `10.0.0.${host}:${port}` : `[fd00::${host.toString(16)}]:${port}`;
}

Deno.test("EndpointMap does what a Map does, over 200,000 random changes", () => {
  const map = new EndpointMap({ initial: 2 });
  const model = new Map<string, number>();
  for (let i = 0; i < 200_000; i++) {
    const text = randomText();
    const owner = random(3);
    const key = `${owner} ${text}`;
    const words = sockaddr(text);
    switch (random(5)) {
      case 0:
      case 1:
        map.set(words, 0, owner, i);
        model.set(key, i);
        break;
      case 2:
      case 3:
        map.delete(words, 0, owner);
        model.delete(key);
        break;
      default:
        assert.equal(map.find(words, 0, owner), model.get(key) ?? -1, key);
    }
    assert.equal(map.size, model.size);
  }
  for (const [key, value] of model) {
    const [owner, text] = key.split(" ");
    assert.equal(map.find(sockaddr(text), 0, Number(owner)), value);
  }
});

Deno.test("EndpointMap takes nothing but family, port and address for the endpoint", () => {
  const map = new EndpointMap();
  const words = new Int32Array(20).fill(-7);
  words.set(sockaddr("192.0.2.1:53").subarray(0, 2), 5);
  map.set(words, 5, 0, 3);
  assert.equal(map.find(sockaddr("192.0.2.1:53"), 0, 0), 3, "what follows sockaddr_in does not count");
  words.set(sockaddr("[2001:db8::1]:53").subarray(0, 6), 5);
  words[6] = 99; // the flow label
  map.set(words, 5, 0, 4);
  assert.equal(map.find(sockaddr("[2001:db8::1]:53"), 0, 0), 4);
  assert.equal(map.find(sockaddr("[2001:db8::1]:54"), 0, 0), -1);
});

Deno.test("EndpointMap without ports maps addresses", () => {
  const map = new EndpointMap({ ports: false });
  map.set(sockaddr("192.0.2.1:53"), 0, 0, 3);
  assert.equal(map.find(sockaddr("192.0.2.1:99"), 0, 0), 3);
  assert.equal(map.find(sockaddr("192.0.2.2:53"), 0, 0), -1);
});
