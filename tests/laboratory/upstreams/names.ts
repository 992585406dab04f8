/**
 * Name servers behind a PROXY header, in the server namespace: each says whom it takes for its client.
 * @module
 */
import type { Lab } from "../lab.ts";
import type { Program } from "../program.ts";

/** Name of a TXT record. */
export const TOLD = "told.example";

/** dnsdist: answers {@linkcode TOLD} with the client and the destination that the header tells. */
export function startDnsdist(lab: Lab, port: number): Promise<Program> {
  const config = lab.writeFile(
    "dnsdist.conf",
    `setACL({'0.0.0.0/0', '::/0'})
setProxyProtocolACL({'0.0.0.0/0', '::/0'})
addLocal('0.0.0.0:${port}')
addLocal('[::]:${port}')
addAction(AllRule(), LuaAction(function(dq)
  local told = dq.remoteaddr:toStringWithPort() .. ' ' .. dq.localaddr:toStringWithPort()
  return DNSAction.SpoofRaw, string.char(#told) .. told
end))
`,
  );
  return lab.server.start(["dnsdist", "--supervised", "-C", config], { udpPort: port });
}
