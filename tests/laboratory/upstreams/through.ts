/**
 * The data plane with an upstream that all flows go through.
 * @module
 */
import { ADDRESSES, type Lab } from "../lab.ts";
import { USER } from "./proxies.ts";
import { type DataplaneProgram, startDataplaneProgram } from "../proxy/dataplane.ts";
import type { ConfigText } from "../proxy/proxy.ts";

/** An upstream in the server namespace. */
export interface UpstreamText {
  readonly type: "socks5" | "http-connect" | "forward";
  readonly port: number;
  /** The family of its address; default IPv4. */
  readonly family?: 4 | 6;
  /** The password that it is given; default none, and no user. */
  readonly password?: string;
  readonly proxyProtocol?: "v1" | "v2";
}

/** The config by which all flows go through an upstream. */
export function through(lab: Lab, { type, port, family = 4, ...options }: UpstreamText): ConfigText {
  const { server } = ADDRESSES[family];
  const { password, proxyProtocol } = options;
  const secret = () => {
    const path = lab.writeFile("office.secret", `${password}\n`);
    Deno.chmodSync(path, 0o600);
    return path;
  };
  const office = {
    type,
    address: family === 4 ? `${server}:${port}` : `[${server}]:${port}`,
    ...password === undefined ? {} : { username: USER, "password-file": secret() },
    ...proxyProtocol === undefined ? {} : { "proxy-protocol": proxyProtocol },
  };
  return {
    rules: [{ name: "through", action: "proxy", upstream: "office" }],
    upstreams: { office },
  };
}

/** The data plane with that upstream. */
export async function startThrough(lab: Lab, upstream: UpstreamText): Promise<DataplaneProgram> {
  const dataplane = await startDataplaneProgram(lab, { intercept: { protocols: ["tcp", "udp"] } });
  await dataplane.adopt(through(lab, upstream));
  return dataplane;
}

/** The data plane with UDP alone under a config whose rules the kernel has, too. */
export async function startRuled(lab: Lab, config: ConfigText): Promise<DataplaneProgram> {
  const dataplane = await startDataplaneProgram(lab, { intercept: { protocols: ["udp"] } });
  await dataplane.install(config);
  return dataplane;
}
