/**
 * Name servers behind a PROXY header, in the server namespace: each says whom it takes for its client.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
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

/** PowerDNS Recursor: answers {@linkcode TOLD} with the client and the destination that the header tells. */
export function startRecursor(lab: Lab, port: number): Promise<Program> {
  const script = lab.writeFile(
    "recursor.lua",
    `function preresolve(dq)
  local told = dq.remoteaddr:toStringWithPort() .. ' ' .. dq.localaddr:toStringWithPort()
  dq:addAnswer(pdns.TXT, '"' .. told .. '"')
  return true
end
`,
  );
  const settings = {
    "config-dir": lab.directory,
    "socket-dir": lab.directory,
    daemon: "no",
    threads: "1",
    "local-address": `${ADDRESSES[4].server}:${port},[${ADDRESSES[6].server}]:${port}`,
    "allow-from": "0.0.0.0/0,::/0",
    "proxy-protocol-from": "0.0.0.0/0,::/0",
    "disable-packetcache": "yes",
    "lua-dns-script": script,
  };
  const argv = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  return lab.server.start(["pdns_recursor", ...argv], { udpPort: port });
}
