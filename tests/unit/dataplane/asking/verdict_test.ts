/**
 * Errnos and ICMP messages as verdicts.
 */
import assert from "node:assert/strict";
import {
  EACCES,
  ECONNREFUSED,
  EHOSTUNREACH,
  ENETUNREACH,
  EPERM,
  ETIMEDOUT,
  SO_EE_ORIGIN_ICMP,
  SO_EE_ORIGIN_ICMP6,
} from "../../../../ffi/consts.ts";
import { SILENCE, verdictOfErrno, verdictOfIcmp } from "../../../../src/dataplane/asking/verdict.ts";
import { VERDICT_TTL } from "../../../../src/constants.ts";

const TCP = 6;
const UDP = 17;

Deno.test("verdictOfErrno() tells what a client of the router would have been told", () => {
  assert.deepEqual(
    [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EACCES, ETIMEDOUT, EPERM].map((errno) =>
      verdictOfErrno(errno, TCP)
    ),
    [
      VERDICT_TTL.reset,
      VERDICT_TTL.hostUnreachable,
      VERDICT_TTL.netUnreachable,
      VERDICT_TTL.adminProhibited,
      SILENCE,
      SILENCE,
    ],
  );
  assert.equal(verdictOfErrno(ECONNREFUSED, UDP), VERDICT_TTL.portUnreachable);
});

Deno.test("verdictOfIcmp() passes on the code of destination unreachable", () => {
  const v4 = (code: number) => verdictOfIcmp(SO_EE_ORIGIN_ICMP, 3, code);
  const v6 = (code: number) => verdictOfIcmp(SO_EE_ORIGIN_ICMP6, 1, code);
  assert.deepEqual([0, 1, 3, 13, 4].map(v4), [
    VERDICT_TTL.netUnreachable,
    VERDICT_TTL.hostUnreachable,
    VERDICT_TTL.portUnreachable,
    VERDICT_TTL.adminProhibited,
    SILENCE,
  ]);
  assert.deepEqual([0, 1, 3, 4, 2].map(v6), [
    VERDICT_TTL.netUnreachable,
    VERDICT_TTL.adminProhibited,
    VERDICT_TTL.hostUnreachable,
    VERDICT_TTL.portUnreachable,
    SILENCE,
  ]);
  assert.equal(verdictOfIcmp(SO_EE_ORIGIN_ICMP, 11, 0), SILENCE, "time exceeded");
});
