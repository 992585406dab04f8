import assert from "node:assert/strict";
import { createCipheriv, createHmac } from "node:crypto";
import { AesKey } from "../../../../../src/sniff/quic/crypto/aes.ts";
import { GcmKey } from "../../../../../src/sniff/quic/crypto/gcm.ts";
import { HmacKey, LONGEST_MESSAGE } from "../../../../../src/sniff/quic/crypto/hmac.ts";
import { join } from "../../recordings.ts";
import { encipher } from "../client.ts";
import { Random } from "../../../../laboratory/proxy/policies.ts";
import { randomBytes } from "../../../../fuzz/engine/mutate.ts";

const random = new Random(1);

function wordsOf(bytes: Uint8Array): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i));
}

Deno.test("HMAC-SHA256 is Node.js's, for keys and messages of all lengths", () => {
  const key = new HmacKey();
  for (let round = 0; round < 2000; round++) {
    const [secret, message] = [
      randomBytes(random, round % 65),
      randomBytes(random, round % (LONGEST_MESSAGE + 1)),
    ];
    const digest = new Uint8Array(32);
    key.set(secret, secret.length);
    key.sign(message, message.length, digest);
    assert.equal(digest.toHex(), createHmac("sha256", secret).update(message).digest("hex"));
  }
});

Deno.test("AES-128 is Node.js's", () => {
  const key = new AesKey();
  for (let round = 0; round < 2000; round++) {
    const [secret, block] = [randomBytes(random, 16), randomBytes(random, 16)];
    const words = wordsOf(block);
    key.set(secret);
    key.encipher(words, words);
    assert.deepEqual(words, wordsOf(encipher(secret, block)));
  }
});

Deno.test("AES-128-GCM opens what Node.js has sealed, and nothing else", () => {
  const key = new GcmKey();
  for (let round = 0; round < 1500; round++) {
    const [secret, nonce, header, text] = [16, 12, round % 60, round].map((length) =>
      randomBytes(random, length)
    );
    const cipher = createCipheriv("aes-128-gcm", secret, nonce).setAAD(header);
    const sealed = join(header, cipher.update(text), cipher.final(), cipher.getAuthTag());
    const changed = sealed.slice();
    changed[random.below(changed.length)] ^= 1 << random.below(8);
    const untouched = changed.slice();
    key.set(secret);
    assert.equal(key.open(nonce, changed, 0, header.length, changed.length), false);
    assert.deepEqual(changed, untouched, "what is not proved is not deciphered");
    assert.ok(key.open(nonce, sealed, 0, header.length, sealed.length));
    assert.deepEqual(sealed.subarray(0, header.length + text.length), join(header, text));
  }
});

Deno.test("GCM gives the tag of NIST's test case 2", () => {
  const key = new GcmKey();
  key.set(new Uint8Array(16));
  const sealed = Uint8Array.fromHex("0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf");
  assert.ok(key.open(new Uint8Array(12), sealed, 0, 0, sealed.length));
  assert.deepEqual(sealed.subarray(0, 16), new Uint8Array(16));
});
